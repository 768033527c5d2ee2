// The system that the fake SDK logs in to, in memory: users, channels, attributes.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "worker.hpp"

namespace fake {

/// How the server reaches a user. Called under the server's lock: a user only notes what comes, for its own thread.
class User {
 public:
  virtual ~User() = default;
  virtual void on_peer_message(const std::string& peer, const std::string& text) = 0;
  virtual void on_channel_message(const std::string& channel, const std::string& member, const std::string& text) = 0;
  virtual void on_joined(const std::string& channel, const std::string& member) = 0;
  virtual void on_left(const std::string& channel, const std::string& member) = 0;
};

using Attributes = std::map<std::string, std::string>;

/// All that users share. May be used on any thread.
class Server {
 public:
  void log_in(const std::string& uid, User& user) {
    const std::lock_guard<std::mutex> lock(mutex_);
    users_[uid] = &user;
  }

  void log_out(const std::string& uid) {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (auto& [channel, members] : channels_) {
      if (members.erase(uid) > 0) tell_left(channel, uid);
    }
    users_.erase(uid);
    attributes_.erase(uid);
  }

  bool is_online(const std::string& uid) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return users_.count(uid) > 0;
  }

  /// False where the user is in the channel already.
  bool join(const std::string& channel, const std::string& uid) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& members = channels_[channel];
    if (!members.insert(uid).second) return false;
    for (const std::string& member : members) {
      if (member != uid) users_[member]->on_joined(channel, uid);
    }
    return true;
  }

  /// False where the user is not in the channel.
  bool leave(const std::string& channel, const std::string& uid) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (channels_[channel].erase(uid) == 0) return false;
    tell_left(channel, uid);
    return true;
  }

  std::set<std::string> members(const std::string& channel) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return channels_[channel];
  }

  /// False where the peer is not online.
  bool send_to_peer(const std::string& peer, const std::string& from, const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (users_.count(peer) == 0) return false;
    users_[peer]->on_peer_message(from, text);
    return true;
  }

  /// False where the sender is not in the channel.
  bool send_to_channel(const std::string& channel, const std::string& from, const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto& members = channels_[channel];
    if (members.count(from) == 0) return false;
    for (const std::string& member : members) {
      if (member != from) users_[member]->on_channel_message(channel, from, text);
    }
    return true;
  }

  /// Returns a user's attributes as they are after the change.
  template <typename Change>
  Attributes attributes(const std::string& uid, Change change) {
    const std::lock_guard<std::mutex> lock(mutex_);
    change(attributes_[uid]);
    return attributes_[uid];
  }

 private:
  void tell_left(const std::string& channel, const std::string& uid) {
    for (const std::string& member : channels_[channel]) users_[member]->on_left(channel, uid);
  }

  std::mutex mutex_;
  std::map<std::string, User*> users_;
  std::map<std::string, std::set<std::string>> channels_;
  std::map<std::string, Attributes> attributes_;
};

/// A user who is always online: it says again whatever is said to it. It comes into a channel when a message to it says
/// "/come CHANNEL", and goes when one in that channel says "/go".
class Echo : public User {
 public:
  explicit Echo(Server& server) : server_(server) { server_.log_in(kUid, *this); }

  void on_peer_message(const std::string& peer, const std::string& text) override {
    worker_.post([=] {
      const std::string come = "/come ";
      if (text.rfind(come, 0) == 0) {
        server_.join(text.substr(come.size()), kUid);
      } else {
        server_.send_to_peer(peer, kUid, text);
      }
    });
  }

  void on_channel_message(const std::string& channel, const std::string& /*member*/, const std::string& text) override {
    worker_.post([=] {
      if (text == "/go") {
        server_.leave(channel, kUid);
      } else {
        server_.send_to_channel(channel, kUid, text);
      }
    });
  }

  void on_joined(const std::string& /*channel*/, const std::string& /*member*/) override {}
  void on_left(const std::string& /*channel*/, const std::string& /*member*/) override {}

 private:
  static constexpr const char* kUid = "echo";

  Server& server_;
  Worker worker_{"echo"};
};

}  // namespace fake
