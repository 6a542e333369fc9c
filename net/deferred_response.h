// An answer that comes in a later turn of the loop: Response::defer() gives it.
//
// Owned by the api, the loop's thread only. The api bounds how many it keeps and for how long: no
// limit of the connection's ends them. It survives its connection, and is deaf after the
// connection's death. Destroyed unanswered it ends the request: an HTTP/1 connection is closed, an
// HTTP/2 stream reset with INTERNAL_ERROR.
//
//   void Api::one(const net::Request& request, std::string_view parameter, net::Response& response)
//   {
//     if (!ready()) return keep(response.defer(), std::string(parameter));  // parameter: a view
//     …
//   }
//   // and in a later turn, from the top:
//   one(later->request(), parameter, later->response());
#pragma once

#include <functional>

#include "net/request.h"
#include "net/response.h"

namespace flagstone::net {

class DeferredResponse {
 public:
  virtual ~DeferredResponse() = default;

  // The request that was deferred. Its views are this object's own: valid for as long as it lives.
  virtual const Request& request() const = 0;
  // As inside Handler::handle(), with a body() of its own that is empty at the start; borrowed of
  // this object. Deferred once more, it hands the request on, and this object is spent: it may be
  // destroyed at any time, with nothing happening, but views of its request then need the new one.
  virtual Response& response() = 0;
  // False once it is answered or handed on, and once the connection or the stream is gone. What is
  // then sent goes nowhere.
  virtual bool alive() const = 0;
  // The connection or stream is gone before there was an answer. The callback may destroy this
  // object.
  virtual void set_on_gone(std::move_only_function<void()> on_gone) = 0;
};

}  // namespace flagstone::net
