#include "adapter.hpp"

#include <cstdint>
#include <utility>
#include <vector>

namespace {

constexpr const char* kUnsupported = "unsupported";

template <typename Type>
const Type& field(const json::Object& fields, const std::string& name, const std::string& kind) {
  const auto found = fields.find(name);
  const Type* value = found == fields.end() ? nullptr : found->second.as<Type>();
  if (value == nullptr) throw Refusal("'" + name + "' is missing, or is not " + kind);
  return *value;
}

/// A string that the SDK can be handed: it would end at the first NUL.
const std::string& plain(const std::string& text) {
  if (text.find('\0') != std::string::npos) throw Refusal("a string with a NUL in it cannot be handed to this SDK");
  return text;
}

std::string text_of(const json::Object& args, const std::string& name) {
  return plain(field<std::string>(args, name, "a string"));
}

std::vector<std::string> texts_of(const json::Object& args, const std::string& name) {
  std::vector<std::string> texts;
  for (const json::Value& each : field<json::Array>(args, name, "a list")) {
    if (each.as<std::string>() == nullptr) throw Refusal("'" + name + "' is not a list of strings");
    texts.push_back(plain(*each.as<std::string>()));
  }
  return texts;
}

/// The arguments in a request or in a reaction; none where they are left out.
json::Object args_of(const json::Object& fields) {
  return fields.count("args") == 0 ? json::Object() : field<json::Object>(fields, "args", "an object");
}

using Attributes = std::map<std::string, std::string>;

Attributes attributes_of(const json::Object& args) {
  Attributes attributes;
  for (const auto& [key, value] : field<json::Object>(args, "attributes", "an object")) {
    if (value.as<std::string>() == nullptr) throw Refusal("'attributes' is not an object of strings");
    attributes[plain(key)] = plain(*value.as<std::string>());
  }
  return attributes;
}

/// Views for the SDK, valid as long as what they are made of.
std::vector<rtm::RtmAttribute> views(const Attributes& attributes) {
  std::vector<rtm::RtmAttribute> result;
  for (const auto& [key, value] : attributes) result.push_back({key.c_str(), value.c_str()});
  return result;
}

std::vector<const char*> views(const std::vector<std::string>& texts) {
  std::vector<const char*> result;
  for (const std::string& text : texts) result.push_back(text.c_str());
  return result;
}

struct Release {
  void operator()(rtm::IMessage* message) const { message->release(); }
};
using Message = std::unique_ptr<rtm::IMessage, Release>;

Message message_of(rtm::IRtmService& service, const std::string& text) {
  Message message(service.createMessage());
  message->setText(text.c_str());
  return message;
}

/// Answers with what the SDK has just returned.
void answer(int code, const Reply& reply) { reply(now_ns(), {{"code", code}}); }

}  // namespace

Adapter::Adapter(Output& output) : output_(output), callbacks_(output), handler_(callbacks_, outcomes_) {}

const std::map<std::string, Adapter::Bind>& Adapter::calls() {
  static const std::map<std::string, Bind> kCalls = {
      {"login", &Adapter::login},
      {"logout", &Adapter::logout},
      {"renewToken", &Adapter::renew_token},
      {"join", &Adapter::join},
      {"leave", &Adapter::leave},
      {"sendToPeer", &Adapter::send_to_peer},
      {"sendToChannel", &Adapter::send_to_channel},
      {"getMembers", &Adapter::get_members},
      {"setAttributes", &Adapter::set_attributes},
      {"addAttributes", &Adapter::add_attributes},
      {"deleteAttributes", &Adapter::delete_attributes},
      {"getAttributes", &Adapter::get_attributes},
      {"queryOnline", &Adapter::query_online},
  };
  return kCalls;
}

void Adapter::request(const std::string& line) {
  const json::Value message = json::parse(line);
  const json::Object* fields = message.as<json::Object>();
  if (fields == nullptr || fields->count("id") == 0) throw json::Error("expected a request with an 'id'");
  const json::Value& id = fields->at("id");
  const Reply reply = [this, id](std::int64_t at_ns, json::Object result) {
    output_.answer(id, at_ns, std::move(result));
  };
  try {
    carry_out(field<std::string>(*fields, "call", "a string"), args_of(*fields), reply);
  } catch (const std::exception& error) {
    output_.error(id, now_ns(), error.what());
  }
}

void Adapter::carry_out(const std::string& call, const Args& args, const Reply& reply) {
  if (call == "hello") return reply(now_ns(), hello());
  if (call == "clock") {
    const std::int64_t at_ns = now_ns();
    return reply(at_ns, {{"now_ns", at_ns}});
  }
  if (call == "create") {
    create(args);
    return reply(now_ns(), {});
  }
  if (call == "react") {
    react(args);
    return answer(0, reply);
  }
  bind(call, args)(reply);
}

json::Object Adapter::hello() const {
  return {{"contract", 1},
          {"name", profile::kName},
          {"version", profile::kVersion},
          {"language", "cpp"},
          {"heartbeat_s", profile::kHeartbeatS},
          {"retry_s", profile::kRetryS},
          {"capabilities", profile::capabilities()}};
}

void Adapter::create(const Args& args) {
  if (service_ != nullptr) throw Refusal("there is a client already: one process carries one");
  const std::string app_id = text_of(args, "app_id");
  profile::Server server{text_of(args, "url"), "", 0, false, ""};
  // Told beside the url, for SDKs that want them one by one.
  if (args.count("host") > 0) server.host = text_of(args, "host");
  if (args.count("port") > 0) server.port = std::stoll(field<json::Number>(args, "port", "a number").text);
  if (args.count("tls") > 0) server.tls = field<bool>(args, "tls", "a boolean");
  if (args.count("ca_file") > 0) server.ca_file = text_of(args, "ca_file");
  rtm::IRtmService* service = rtm::createRtmService();
  if (service == nullptr) throw Refusal("createRtmService() returned null");
  const int code = service->initialize(app_id.c_str(), &handler_);
  const int pointed = code == 0 ? profile::point_at(*service, server) : 0;
  if (code != 0 || pointed != 0) {
    service->release(true);
    throw Refusal(code != 0 ? "initialize() returned " + std::to_string(code)
                            : "the SDK does not take this server: " + std::to_string(pointed));
  }
  service_ = service;
}

void Adapter::react(const Args& args) {
  const std::string name = text_of(args, "callback");
  const std::string call = text_of(args, "call");
  if (!Callbacks::has(name)) throw Refusal("there is no callback '" + name + "'");
  if (call.empty()) {
    if (!profile::kExceptionsPass) throw Refusal(kUnsupported);
    callbacks_.react(name, [name] { throw AskedForError("raised in " + name + ", as it was asked for"); });
    return;
  }
  const Call bound = bind(call, args_of(args));
  callbacks_.react(name, [bound] { bound([](std::int64_t, const json::Object&) {}); });  // nobody asks what it returned
}

Adapter::Call Adapter::bind(const std::string& call, const Args& args) {
  const auto known = calls().find(call);
  if (known == calls().end()) throw Refusal(kUnsupported);
  if (service_ == nullptr) throw Refusal(call + " came before create");
  return (this->*known->second)(args);
}

// A channel is made when it is first named, here and not in the call itself: a reaction is run on a thread of the SDK.
rtm::IChannel* Adapter::channel(const std::string& name) {
  const auto known = channels_.find(name);
  if (known != channels_.end()) return known->second.channel;
  auto handler = std::make_unique<ChannelHandler>(name, callbacks_, outcomes_);
  rtm::IChannel* made = service_->createChannel(name.c_str(), handler.get());
  if (made == nullptr) throw Refusal("createChannel() returned null for '" + name + "'");
  channels_.emplace(name, Channel{std::move(handler), made});
  return made;
}

void Adapter::answer_later(int code, const OutcomeKey& key, const Reply& reply) {
  if (code != 0) return answer(code, reply);  // refused: nothing will be called back
  outcomes_.expect(key, reply);
}

Adapter::Call Adapter::login(const Args& args) {
  return [this, token = text_of(args, "token"), uid = text_of(args, "uid")](const Reply& reply) {
    answer(service_->login(token.c_str(), uid.c_str()), reply);
  };
}

Adapter::Call Adapter::logout(const Args& /*args*/) {
  return [this](const Reply& reply) { answer(service_->logout(), reply); };
}

Adapter::Call Adapter::renew_token(const Args& args) {
  return [this, token = text_of(args, "token")](const Reply& reply) {
    answer(service_->renewToken(token.c_str()), reply);
  };
}

Adapter::Call Adapter::join(const Args& args) {
  return [channel = channel(text_of(args, "channel"))](const Reply& reply) { answer(channel->join(), reply); };
}

Adapter::Call Adapter::leave(const Args& args) {
  return [channel = channel(text_of(args, "channel"))](const Reply& reply) { answer(channel->leave(), reply); };
}

Adapter::Call Adapter::send_to_peer(const Args& args) {
  return [this, peer = text_of(args, "peer"), text = text_of(args, "text")](const Reply& reply) {
    const Message message = message_of(*service_, text);
    const int code = service_->sendMessageToPeer(peer.c_str(), message.get());
    answer_later(code, {"sendToPeer", message->getMessageId()}, reply);
  };
}

Adapter::Call Adapter::send_to_channel(const Args& args) {
  const std::string name = text_of(args, "channel");
  return [this, name, channel = channel(name), text = text_of(args, "text")](const Reply& reply) {
    const Message message = message_of(*service_, text);
    const int code = channel->sendMessage(message.get());
    answer_later(code, {"sendToChannel " + name, message->getMessageId()}, reply);
  };
}

Adapter::Call Adapter::get_members(const Args& args) {
  const std::string name = text_of(args, "channel");
  return [this, name, channel = channel(name)](const Reply& reply) {
    answer_later(channel->getMembers(), {"getMembers " + name, 0}, reply);
  };
}

Adapter::Call Adapter::set_attributes(const Args& args) {
  return [this, attributes = attributes_of(args)](const Reply& reply) {
    const auto given = views(attributes);
    long long id = 0;
    const int code = service_->setLocalUserAttributes(given.data(), static_cast<int>(given.size()), id);
    answer_later(code, {"setAttributes", id}, reply);
  };
}

Adapter::Call Adapter::add_attributes(const Args& args) {
  return [this, attributes = attributes_of(args)](const Reply& reply) {
    const auto given = views(attributes);
    long long id = 0;
    const int code = service_->addOrUpdateLocalUserAttributes(given.data(), static_cast<int>(given.size()), id);
    answer_later(code, {"addAttributes", id}, reply);
  };
}

Adapter::Call Adapter::delete_attributes(const Args& args) {
  return [this, keys = texts_of(args, "keys")](const Reply& reply) {
    auto given = views(keys);
    long long id = 0;
    const int code = service_->deleteLocalUserAttributesByKeys(given.data(), static_cast<int>(given.size()), id);
    answer_later(code, {"deleteAttributes", id}, reply);
  };
}

Adapter::Call Adapter::get_attributes(const Args& args) {
  return [this, uid = text_of(args, "uid")](const Reply& reply) {
    long long id = 0;
    const int code = service_->getUserAttributes(uid.c_str(), id);
    answer_later(code, {"getAttributes", id}, reply);
  };
}

Adapter::Call Adapter::query_online(const Args& args) {
  return [this, uids = texts_of(args, "uids")](const Reply& reply) {
    auto given = views(uids);
    long long id = 0;
    const int code = service_->queryPeersOnlineStatus(given.data(), static_cast<int>(given.size()), id);
    answer_later(code, {"queryOnline", id}, reply);
  };
}
