#include "output.hpp"

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <system_error>
#include <utility>

std::int64_t now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

Output::Output() : descriptor_(dup(STDOUT_FILENO)) {
  if (descriptor_ < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) {
    throw std::system_error(errno, std::generic_category(), "standard output");
  }
  std::signal(SIGPIPE, SIG_IGN);  // write() says so itself where nobody reads any more
}

void Output::answer(const json::Value& id, std::int64_t at_ns, json::Object result) {
  say({{"id", id}, {"at_ns", at_ns}, {"result", std::move(result)}});
}

void Output::error(const json::Value& id, std::int64_t at_ns, const std::string& text) {
  say({{"id", id}, {"at_ns", at_ns}, {"error", text}});
}

void Output::event(const std::string& name, std::int64_t at_ns, json::Object args) {
  say({{"event", name}, {"at_ns", at_ns}, {"args", std::move(args)}});
}

void Output::say(json::Object message) {
  const std::string line = json::write(std::move(message)) + "\n";
  const std::lock_guard<std::mutex> lock(one_at_a_time_);
  for (std::size_t written = 0; written < line.size();) {
    const ssize_t taken = ::write(descriptor_, line.data() + written, line.size() - written);
    if (taken >= 0) {
      written += static_cast<std::size_t>(taken);
    } else if (errno != EINTR) {
      std::_Exit(EXIT_SUCCESS);  // nobody is there any more: as good as the end of the input
    }
  }
}
