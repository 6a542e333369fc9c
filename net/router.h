// From method and path to the member function of an api.
//
// Built once by main's table, one per serving loop, the loop's thread only (decoding uses its
// scratch). Borrows the apis. Lookups allocate nothing.
//
//   router.add<&Ofrep::evaluate_one>(Method::kPost, "/ofrep/v1/evaluate/flags/{key}", ofrep);
//   router.set_refusals<&Ofrep::refuse>("/ofrep/", ofrep);
//
// A pattern is exact, or ends in one `{parameter}` that stands for one non-empty segment. An exact
// pattern wins over a parameter. HEAD is answered by GET's route. OPTIONS is a method like any
// other. An unknown path is 404, a known one with another method 405 with Allow, an invalid escape
// in a parameter 400.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "net/handler.h"

namespace flagstone::net {

class Router final : public Handler {
 public:
  // The parameter is percent-decoded, and empty for exact patterns.
  //   void Api::member(const Request&, std::string_view parameter, Response&)
  template <auto member, typename Api>
  void add(Method method, std::string_view pattern, Api& api) {
    add_route(method, pattern,
              {&api, [](void* self, const Request& request, std::string_view parameter,
                        Response& response) {
                 (static_cast<Api*>(self)->*member)(request, parameter, response);
               }});
  }

  // Refusals for paths that start with `prefix` are written by the api; the longest prefix wins.
  //   void Api::member(const Refusal&, const Request&, Response&)
  template <auto member, typename Api>
  void set_refusals(std::string_view prefix, Api& api) {
    refusers_.push_back(
        {std::string(prefix), &api,
         [](void* self, const Refusal& refusal, const Request& request, Response& response) {
           (static_cast<Api*>(self)->*member)(refusal, request, response);
         }});
  }

  void handle(const Request& request, Response& response) override;
  void refuse(const Refusal& refusal, const Request& request, Response& response) override;

 private:
  struct Endpoint {
    void* api = nullptr;
    void (*call)(void*, const Request&, std::string_view, Response&) = nullptr;
  };
  struct Route {
    std::string path;   // of a parameter's pattern: up to and with the last slash; else empty
    std::string allow;  // the methods, as the Allow field lists them
    std::array<Endpoint, kMethodCount> endpoints;
  };
  struct Refuser {
    std::string prefix;
    void* api = nullptr;
    void (*call)(void*, const Refusal&, const Request&, Response&) = nullptr;
  };

  // Paths so long are not remembered.
  static constexpr std::size_t kLastPathBytesMax = 512;

  void add_route(Method method, std::string_view pattern, Endpoint endpoint);
  Route& route_with_parameter(std::string_view path);
  const Route* find_with_parameter(std::string_view path) const;
  const Route* find(std::string_view path) const;
  bool read_parameter(const Route& route, std::string_view path);

  // With all apis there are dozens of exact paths, and few with a parameter.
  struct PathHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view path) const {
      return std::hash<std::string_view>{}(path);
    }
  };
  std::unordered_map<std::string, Route, PathHash, std::equal_to<>> exact_;
  std::vector<Route> with_parameter_;
  std::vector<Refuser> refusers_;
  std::string parameter_;  // of the path looked up last
  // One client mostly asks for one thing: the path found last is compared before others are.
  std::string last_path_;
  const Route* last_route_ = nullptr;
};

}  // namespace flagstone::net
