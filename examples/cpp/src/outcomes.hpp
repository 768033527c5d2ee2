// Brings the SDK's results together with the requests that wait for them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "json.hpp"

/// Takes what came of a call: the result of its answer, and when the SDK told it (monotonic nanoseconds).
using Reply = std::function<void(std::int64_t at_ns, json::Object result)>;

/// Which result it is: the callback that brings it (and its channel), and the SDK's id where there is one, otherwise 0.
using OutcomeKey = std::pair<std::string, long long>;

/// Results and requests, in whichever order they come.
///
/// A call tells the id of its result only when it returns, and by then another thread may have called back with it. So
/// what comes too early is kept. No SDK's call is made and no reply is given under the lock.
class Outcomes {
 public:
  /// Have a result given to this reply: at once where it is there.
  void expect(const OutcomeKey& key, const Reply& reply) {
    meet(key, reply, replies_, results_,
         [](const Reply& to, const Result& result) { to(result.first, result.second); });
  }

  /// Give a result to who waits for it, or keep it for who will.
  void came(const OutcomeKey& key, std::int64_t at_ns, json::Object outcome) {
    meet(key, Result(at_ns, std::move(outcome)), results_, replies_,
         [](const Result& result, const Reply& to) { to(result.first, result.second); });
  }

 private:
  using Result = std::pair<std::int64_t, json::Object>;
  template <typename Kept>
  using Store = std::map<OutcomeKey, std::deque<Kept>>;

  /// Pair one with the oldest of the other kind that has its key, or keep it.
  template <typename One, typename Other, typename Give>
  void meet(const OutcomeKey& key, One one, Store<One>& like_it, Store<Other>& others, Give give) {
    std::unique_lock<std::mutex> lock(mutex_);
    const auto found = others.find(key);
    if (found == others.end()) {
      like_it[key].push_back(std::move(one));
      return;
    }
    const Other other = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty()) others.erase(found);
    lock.unlock();
    give(one, other);
  }

  std::mutex mutex_;
  Store<Reply> replies_;
  Store<Result> results_;
};
