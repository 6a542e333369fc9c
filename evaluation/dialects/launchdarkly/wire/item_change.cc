#include "evaluation/dialects/launchdarkly/wire/item_change.h"

#include <utility>

#include "evaluation/dialects/launchdarkly/wire/data_record.h"

namespace flagstone::evaluation::launchdarkly {
namespace {

std::expected<std::string, std::string> path_in(const ObjectMembers& members) {
  auto path = members.string("path");
  if (!path) return std::unexpected("there is no \"path\"");
  return std::move(*path);
}

}  // namespace

std::expected<std::optional<Record>, std::string> read_patch(std::string_view text) {
  const auto members = ObjectMembers::read(text);
  if (!members) return std::unexpected(members.error());
  const auto path = path_in(*members);
  if (!path) return std::unexpected(path.error());
  auto id = id_of_path(*path);
  if (!id) return std::nullopt;
  const auto data = members->find("data");
  if (!data) return std::unexpected("there is no \"data\"");
  if (!data->starts_with('{')) return std::unexpected("\"data\" is not an object");
  return make_record(std::move(*id), *data);
}

std::expected<std::optional<Record>, std::string> read_delete(std::string_view text) {
  const auto members = ObjectMembers::read(text);
  if (!members) return std::unexpected(members.error());
  const auto path = path_in(*members);
  if (!path) return std::unexpected(path.error());
  auto id = id_of_path(*path);
  if (!id) return std::nullopt;
  const auto version = members->number("version");
  if (!version) return std::unexpected("there is no \"version\"");
  Record record;
  record.id = std::move(*id);
  record.version = *version;
  record.tombstone = true;
  return record;
}

}  // namespace flagstone::evaluation::launchdarkly
