// The `main` of a fuzz target where there is no fuzzer. It gives the target nothing, each of its
// seeds and thousands of mutations of them, the same ones every time. So the tests keep every
// target building and its seeds answered; what nobody has met yet is for scripts/fuzz to find.
//
//   NAME_replay SEEDS MUTATIONS [FIRST COUNT]     only COUNT inputs from number FIRST on
//
// A child process takes the inputs, for a finding ends it: a sanitizer's report, an abort, a
// signal, no answer for a minute. The parent says which input that was and keeps it in the working
// folder. A leak is told of when the child ends; FIRST and COUNT find whose it is.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <expected>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using namespace std::string_view_literals;

constexpr int kMisused = 2;
constexpr unsigned kAnswerSecondsMax = 60;
constexpr std::size_t kInputBytesMax = 1 << 16;
constexpr std::size_t kPieceBytesMax = 64;
constexpr std::size_t kChangesMax = 6;
// What parsers look for, and the ends of what a byte can be.
constexpr std::string_view kTelling = "\0\n\r \"\\{}[]:,-019.eE\x1e\x7f\x80\xff"sv;

struct Seed {
  std::string name;
  std::string bytes;
};

struct Input {
  std::string said;
  std::string bytes;
};

// The standard's distributions differ from library to library, its engines do not.
class Random {
 public:
  explicit Random(std::uint64_t number) : engine_(number) {}
  std::size_t below(std::size_t end) { return static_cast<std::size_t>(engine_() % end); }

 private:
  std::mt19937_64 engine_;
};

// Numbered: 0 is nothing, then come the seeds as they are, then the mutations. An input depends on
// nothing but its number and the seeds.
class Inputs {
 public:
  Inputs(std::vector<Seed> seeds, std::uint64_t mutations)
      : seeds_(std::move(seeds)), mutations_(mutations) {}

  std::uint64_t count() const { return 1 + seeds_.size() + mutations_; }

  Input at(std::uint64_t number) const {
    if (number == 0) return {"nothing", {}};
    if (number <= seeds_.size())
      return {"the seed " + seeds_[number - 1].name, seeds_[number - 1].bytes};
    Random random(number);
    const Seed& seed = seeds_[random.below(seeds_.size())];
    Input input{"a mutation of the seed " + seed.name, seed.bytes};
    for (std::size_t left = 1 + random.below(kChangesMax); left > 0; --left) {
      change(input.bytes, random);
    }
    input.bytes.resize(std::min(input.bytes.size(), kInputBytesMax));
    return input;
  }

 private:
  void change(std::string& bytes, Random& random) const {
    const std::size_t at = random.below(bytes.size() + 1);
    const std::size_t length = random.below(std::min(bytes.size() - at, kPieceBytesMax) + 1);
    switch (random.below(7)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << random.below(8)));
        break;
      case 1:
        bytes.replace(at, std::min<std::size_t>(length, 1), 1,
                      static_cast<char>(random.below(256)));
        break;
      case 2:
        bytes.replace(at, std::min<std::size_t>(length, 1), 1,
                      kTelling[random.below(kTelling.size())]);
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:
        bytes.insert(at, bytes.substr(at, length));
        break;
      case 5:
        bytes.resize(at);
        break;
      default: {
        const std::string& other = seeds_[random.below(seeds_.size())].bytes;
        const std::size_t from = random.below(other.size() + 1);
        bytes.replace(at, length, other.substr(from, random.below(kPieceBytesMax)));
      }
    }
  }

  std::vector<Seed> seeds_;
  std::uint64_t mutations_;
};

std::expected<std::vector<Seed>, std::string> read_seeds(const std::filesystem::path& folder) {
  std::vector<Seed> seeds;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    std::ifstream file(entry.path(), std::ios::binary);
    seeds.push_back({entry.path().filename(), std::string(std::istreambuf_iterator(file), {})});
    if (!file) return std::unexpected("cannot read " + entry.path().string());
  }
  if (error) return std::unexpected("cannot list " + folder.string() + ": " + error.message());
  if (seeds.empty()) return std::unexpected("no seeds in " + folder.string());
  std::ranges::sort(seeds, {}, &Seed::name);
  return seeds;
}

// The number of the input that the child has in hand, in memory that both see.
using Progress = std::atomic<std::uint64_t>;

Progress* shared_progress() {
  void* const memory =
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return memory == MAP_FAILED ? nullptr : new (memory) Progress(0);
}

void give(const Inputs& inputs, std::uint64_t first, std::uint64_t end, Progress& progress) {
  for (std::uint64_t number = first; number < end; ++number) {
    progress = number;
    const Input input = inputs.at(number);
    // In a buffer of just its size, for the sanitizer to watch.
    const auto copy = std::make_unique<std::uint8_t[]>(input.bytes.size());
    std::ranges::copy(input.bytes, copy.get());
    alarm(kAnswerSecondsMax);
    LLVMFuzzerTestOneInput(copy.get(), input.bytes.size());
  }
  alarm(0);
  progress = end;
}

std::string ending(int status) {
  if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
  return std::string("signal ") + strsignal(WTERMSIG(status));
}

void tell(const Inputs& inputs, std::uint64_t number, const std::string& name) {
  const Input input = inputs.at(number);
  const std::string kept = name + "-" + std::to_string(number);
  std::ofstream(kept, std::ios::binary) << input.bytes;
  std::cerr << "replay: input " << number << ", " << input.said << ", " << input.bytes.size()
            << " bytes, kept as " << kept << "\n";
}

// The exit code. `name` is the target's, as its seeds' folder has it.
int replay(const Inputs& inputs, std::uint64_t first, std::uint64_t end, const std::string& name) {
  Progress* const progress = shared_progress();
  const pid_t child = progress == nullptr ? -1 : fork();
  if (child == 0) {
    give(inputs, first, end, *progress);
    return 0;  // By way of `main`, where leaks are looked for.
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    std::cerr << "replay: no child: " << std::strerror(errno) << "\n";
    return kMisused;
  }
  if (status == 0 && *progress == end) {
    std::cerr << "replay: " << end - first << " inputs\n";
    return 0;
  }
  std::cerr << "replay: " << ending(status) << "\n";
  if (*progress < end) {
    tell(inputs, *progress, name);
  } else {
    std::cerr << "replay: after the last input; whose it is, FIRST and COUNT tell\n";
  }
  return 1;
}

// 0 for what is no number.
std::uint64_t number_of(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const bool some = words.size() == 4;
  const std::uint64_t mutations = words.size() < 2 ? 0 : number_of(words[1]);
  if (mutations == 0 || (some ? number_of(words[3]) == 0 : words.size() != 2)) {
    std::cerr << "usage: NAME_replay SEEDS MUTATIONS [FIRST COUNT]\n";
    return kMisused;
  }
  const std::filesystem::path folder(words[0]);
  auto seeds = read_seeds(folder);
  if (!seeds) {
    std::cerr << "replay: " << seeds.error() << "\n";
    return kMisused;
  }
  const Inputs inputs(std::move(*seeds), mutations);
  const std::uint64_t first = some ? number_of(words[2]) : 0;
  const std::uint64_t end = some ? first + number_of(words[3]) : inputs.count();
  return replay(inputs, first, end, folder.filename());
}
