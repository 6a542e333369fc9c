#include "cache/serving_state.h"

namespace flagstone::cache {

std::string_view origin_name(Origin origin) {
  switch (origin) {
    case Origin::kLive:
      return "live";
    case Origin::kState:
      return "state";
    case Origin::kBootstrap:
      return "bootstrap";
  }
  return "";
}

}  // namespace flagstone::cache
