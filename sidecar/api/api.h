// What every api of a serving thread is: routes, and two things it hears of.
//
// Made and owned by the serving thread, on its loop. The constructor borrows the loop and the desk.
#pragma once

#include <memory>

#include "net/router.h"

namespace flagstone::net {
class Loop;
}

namespace flagstone::sidecar {

struct ServingDesk;

class ServingApi {
 public:
  virtual ~ServingApi() = default;

  virtual void add_routes(net::Router& router) = 0;
  // The desk's state is another one now.
  virtual void on_published() {}
  // Memory is needed: what is kept for convenience alone goes.
  virtual void on_short_of_memory() {}
  // The process is not ready from now on, though it answers for a while yet.
  virtual void on_leaving() {}
  // The process has begun to stop: open streams are told, in the api's manner, and ended.
  virtual void on_stopping() {}
};

}  // namespace flagstone::sidecar
