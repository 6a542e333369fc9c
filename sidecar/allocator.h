// The C library's allocator, set up for a process that replaces large documents and must give back
// what they took.
//
// Called once, before any thread starts. Does nothing where the allocator is another one.
#pragma once

#include <cstddef>

namespace flagstone::sidecar {

void tune_allocator();
// Gives unused memory back to the system. Takes a few milliseconds when there is much of it.
void give_back_unused_memory();
// Memory of this process that no file stands behind; 0 where the system does not tell, and under
// sanitizers, which take several times as much for themselves.
std::size_t anonymous_bytes();

}  // namespace flagstone::sidecar
