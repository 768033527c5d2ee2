// The SDK under linkproof's contract (docs/adapter-contract.md): requests come in, answers and events go out.

#include <cstdlib>
#include <exception>
#include <iostream>
#include <string>

#include "adapter.hpp"
#include "json.hpp"
#include "output.hpp"

namespace {

constexpr int kBadLine = 2;

int serve() {
  // Made to stay: the SDK's threads may call back until the process is gone.
  static Output output;
  static Adapter adapter(output);
  for (std::string line; std::getline(std::cin, line);) {
    try {
      adapter.request(line);
    } catch (const json::Error& error) {
      std::cerr << profile::kName << ": not a request: " << error.what() << ": " << line.substr(0, 200) << "\n";
      return kBadLine;
    }
  }
  return EXIT_SUCCESS;
}

}  // namespace

int main() {
  const int code = serve();
  // Not return: destructors would wait for the SDK's threads, or pull away what those still use. The kernel closes the
  // connections.
  std::_Exit(code);
}
