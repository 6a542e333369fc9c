#include "sidecar/vendors.h"

namespace flagstone::sidecar {

const Vendor* find_vendor(std::span<const Vendor> vendors, std::string_view name) {
  for (const Vendor& vendor : vendors) {
    if (vendor.name == name) return &vendor;
  }
  return nullptr;
}

}  // namespace flagstone::sidecar
