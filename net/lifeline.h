// Tells callbacks that come late whether their owner is still there: what the disk, another thread
// or a later turn of the loop brings must find nobody when the owner has gone.
//
// A member of the owner, its last one, so that it ends first. Calls and cut() belong to the owner's
// thread; guarded calls may be carried through others. (It holds a shared pointer to a pointer,
// never to the owner: nobody's life is prolonged.)
#pragma once

#include <memory>
#include <utility>

namespace flagstone::net {

template <typename Owner>
class Lifeline {
 public:
  explicit Lifeline(Owner& owner) : owner_(std::make_shared<Owner*>(&owner)) {}
  ~Lifeline() { cut(); }
  Lifeline(const Lifeline&) = delete;
  Lifeline& operator=(const Lifeline&) = delete;

  // Nobody is found from now on. For an owner whose destructor has callbacks destroyed or called.
  void cut() { *owner_ = nullptr; }

  // The same for what was guarded before; the owner goes on.
  void renew() {
    Owner* const owner = *owner_;
    cut();
    owner_ = std::make_shared<Owner*>(owner);
  }

  // Does `call(owner, arguments…)` as long as the owner is there, and nothing afterwards.
  template <typename Call>
  auto guard(Call call) const {
    return [owner = owner_,
            call = std::move(call)]<typename... Arguments>(Arguments&&... arguments) mutable {
      if (*owner != nullptr) call(**owner, std::forward<Arguments>(arguments)...);
    };
  }

 private:
  std::shared_ptr<Owner*> owner_;
};

}  // namespace flagstone::net
