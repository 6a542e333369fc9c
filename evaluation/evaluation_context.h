// The evaluation context: who or what a flag is evaluated for (OpenFeature's term), as read from a
// request.
//
// A view of values in an Arena; valid as long as the arena is not reset and the text it was read
// from stays (strings without escapes are not copied). One thread. See context_reader.h for how to
// read one from JSON.
#pragma once

#include <string_view>

#include "evaluation/value.h"

namespace flagstone::evaluation {

// A vendor's own form of a context, where its api read one that means more than attributes. The
// vendor's dialect knows its type; nobody else looks inside.
struct VendorContext {};

class EvaluationContext {
 public:
  EvaluationContext() = default;
  // `attributes` must be an object.
  explicit EvaluationContext(Value attributes) : attributes_(attributes) {}
  // `vendor` belongs to the dialect that evaluates, and lives as long as the attributes.
  EvaluationContext(Value attributes, const VendorContext& vendor)
      : attributes_(attributes), vendor_(&vendor) {}

  // All attributes, `targetingKey` included.
  const Value& attributes() const { return attributes_; }
  // The attribute of that name, or nullptr. Names are compared byte by byte; of duplicates the last
  // counts.
  const Value* find(std::string_view name) const { return attributes_.member(name); }
  // nullptr: none, the attributes say everything.
  const VendorContext* vendor() const { return vendor_; }

 private:
  Value attributes_ = Value::empty_object();
  const VendorContext* vendor_ = nullptr;
};

}  // namespace flagstone::evaluation
