// Standard output: whole lines, one at a time, whoever calls.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "json.hpp"

/// Returns the monotonic clock of this machine, in nanoseconds.
std::int64_t now_ns();

/// Writes answers and events. Every method may be called on any thread, and returns when its line has left.
///
/// Stamps are arguments: they are taken where the thing happened, and not where a thread got hold of the lock.
class Output {
 public:
  /// Takes standard output for itself. What the SDK prints there from now on goes to standard error.
  Output();

  void answer(const json::Value& id, std::int64_t at_ns, json::Object result);
  void error(const json::Value& id, std::int64_t at_ns, const std::string& text);
  void event(const std::string& name, std::int64_t at_ns, json::Object args);

 private:
  void say(json::Object message);

  int descriptor_;
  std::mutex one_at_a_time_;
};
