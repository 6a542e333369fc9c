// The help texts, made from the tables of commands and options. Pure.
#pragma once

#include <string>

#include "config/commands.h"

namespace flagstone::config {

// What `flagstone` and `flagstone help` say.
std::string overview_text();

// What `flagstone help COMMAND` says.
std::string command_text(const CommandRow& command);

}  // namespace flagstone::config
