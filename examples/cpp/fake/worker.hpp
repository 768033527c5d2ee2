// A thread that carries out what it is given, in that order.
#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <initializer_list>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

namespace fake {

/// The name of the thread that asks; "app" on one that is not the SDK's.
inline thread_local std::string thread_name = "app";

/// One thread with a queue. An exception in a task is logged, and the next task is carried out.
class Worker {
 public:
  explicit Worker(std::string name) : name_(std::move(name)), thread_([this] { run(); }) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Waits for the task at hand; what is queued behind it is dropped. Not to be called from inside a task.
  ~Worker() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_ending_ = true;
    }
    woken_.notify_one();
    thread_.join();
  }

  void post(std::function<void()> task) { post_all({std::move(task)}); }

  /// These follow each other, whoever posts meanwhile: what an app calls inside the first one comes after the last.
  void post_all(std::initializer_list<std::function<void()>> tasks) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      tasks_.insert(tasks_.end(), tasks);
    }
    woken_.notify_one();
  }

 private:
  void run() {
    thread_name = name_;
    for (;;) {
      std::unique_lock<std::mutex> lock(mutex_);
      woken_.wait(lock, [this] { return is_ending_ || !tasks_.empty(); });
      if (is_ending_) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      try {
        task();
      } catch (const std::exception& error) {
        std::cerr << "fake SDK, " + name_ + ": the app raised: " + error.what() + "\n" << std::flush;
      }
    }
  }

  const std::string name_;
  std::mutex mutex_;
  std::condition_variable woken_;
  std::deque<std::function<void()>> tasks_;
  bool is_ending_ = false;
  std::thread thread_;  // the last member: it uses all the others
};

}  // namespace fake
