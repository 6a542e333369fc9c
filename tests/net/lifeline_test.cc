#include "net/lifeline.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

namespace flagstone::net {
namespace {

struct Owner {
  std::string heard;
  Lifeline<Owner> lifeline{*this};
};

TEST(Lifeline, GuardedCallsReachTheOwnerWhileItIsThere) {
  auto owner = std::make_unique<Owner>();
  auto say = owner->lifeline.guard(
      [](Owner& it, std::unique_ptr<std::string> word) { it.heard += *word; });
  const std::function<void()> bark = owner->lifeline.guard([](Owner& it) { it.heard += "woof"; });
  say(std::make_unique<std::string>("hello "));
  bark();
  EXPECT_EQ(owner->heard, "hello woof");
  owner.reset();
  say(std::make_unique<std::string>("?"));
  bark();
}

TEST(Lifeline, WhatWasGuardedBeforeFindsNobodyAndTheOwnerGoesOn) {
  Owner owner;
  auto early = owner.lifeline.guard([](Owner& it) { it.heard += "early"; });
  owner.lifeline.renew();
  auto late = owner.lifeline.guard([](Owner& it) { it.heard += "late"; });
  early();
  late();
  EXPECT_EQ(owner.heard, "late");
  owner.lifeline.cut();
  late();
  EXPECT_EQ(owner.heard, "late");
}

TEST(Lifeline, ACallMayBeTheOwnersEnd) {
  auto owner = std::make_unique<Owner>();
  auto end = owner->lifeline.guard([&owner](Owner&) { owner.reset(); });
  end();
  EXPECT_EQ(owner, nullptr);
  end();
}

}  // namespace
}  // namespace flagstone::net
