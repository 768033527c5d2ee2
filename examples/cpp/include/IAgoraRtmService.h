// The part of the published C++ interface (1.x, 2019) that the adapter uses, under its published names and numbers.
//
// It is no substitute for the vendor's header of this name: virtual methods are called by their place in the class, and
// here the ones that nobody needs are left out. A library is used with the header that it came with (README.md).
#pragma once

namespace agora {
namespace rtm {

enum INIT_ERR_CODE {
  INIT_ERR_OK = 0,
  INIT_ERR_FAILURE = 1,
  INIT_ERR_ALREADY_INITIALIZED = 2,
  INIT_ERR_INVALID_APP_ID = 3,
  INIT_ERR_INVALID_ARGUMENT = 4,
};

enum CONNECTION_STATE {
  CONNECTION_STATE_DISCONNECTED = 1,
  CONNECTION_STATE_CONNECTING = 2,
  CONNECTION_STATE_CONNECTED = 3,
  CONNECTION_STATE_RECONNECTING = 4,
  CONNECTION_STATE_ABORTED = 5,
};

enum CONNECTION_CHANGE_REASON {
  CONNECTION_CHANGE_REASON_LOGIN = 1,
  CONNECTION_CHANGE_REASON_LOGIN_SUCCESS = 2,
  CONNECTION_CHANGE_REASON_LOGIN_FAILURE = 3,
  CONNECTION_CHANGE_REASON_LOGIN_TIMEOUT = 4,
  CONNECTION_CHANGE_REASON_INTERRUPTED = 5,
  CONNECTION_CHANGE_REASON_LOGOUT = 6,
  CONNECTION_CHANGE_REASON_BANNED_BY_SERVER = 7,
  CONNECTION_CHANGE_REASON_REMOTE_LOGIN = 8,
};

enum LOGIN_ERR_CODE {
  LOGIN_ERR_OK = 0,
  LOGIN_ERR_UNKNOWN = 1,
  LOGIN_ERR_REJECTED = 2,
  LOGIN_ERR_INVALID_ARGUMENT = 3,
  LOGIN_ERR_INVALID_APP_ID = 4,
  LOGIN_ERR_INVALID_TOKEN = 5,
  LOGIN_ERR_TOKEN_EXPIRED = 6,
  LOGIN_ERR_NOT_AUTHORIZED = 7,
  LOGIN_ERR_ALREADY_LOGGED_IN = 8,
  LOGIN_ERR_TIMEOUT = 9,
  LOGIN_ERR_TOO_OFTEN = 10,
  LOGIN_ERR_NOT_INITIALIZED = 101,
};

enum LOGOUT_ERR_CODE {
  LOGOUT_ERR_OK = 0,
  LOGOUT_ERR_REJECTED = 1,
  LOGOUT_ERR_NOT_INITIALIZED = 101,
  LOGOUT_ERR_USER_NOT_LOGGED_IN = 102,
};

enum RENEW_TOKEN_ERR_CODE {
  RENEW_TOKEN_ERR_OK = 0,
  RENEW_TOKEN_ERR_FAILURE = 1,
  RENEW_TOKEN_ERR_INVALID_ARGUMENT = 2,
  RENEW_TOKEN_ERR_REJECTED = 3,
  RENEW_TOKEN_ERR_TOO_OFTEN = 4,
  RENEW_TOKEN_ERR_TOKEN_EXPIRED = 5,
  RENEW_TOKEN_ERR_INVALID_TOKEN = 6,
  RENEW_TOKEN_ERR_NOT_INITIALIZED = 101,
  RENEW_TOKEN_ERR_USER_NOT_LOGGED_IN = 102,
};

enum JOIN_CHANNEL_ERR {
  JOIN_CHANNEL_ERR_OK = 0,
  JOIN_CHANNEL_ERR_FAILURE = 1,
  JOIN_CHANNEL_ERR_REJECTED = 2,
  JOIN_CHANNEL_ERR_INVALID_ARGUMENT = 3,
  JOIN_CHANNEL_TIMEOUT = 4,
  JOIN_CHANNEL_ERR_EXCEED_LIMIT = 5,
  JOIN_CHANNEL_ERR_ALREADY_JOINED = 6,
  JOIN_CHANNEL_ERR_TOO_OFTEN = 7,
  JOIN_CHANNEL_ERR_NOT_INITIALIZED = 101,
  JOIN_CHANNEL_ERR_USER_NOT_LOGGED_IN = 102,
};

enum LEAVE_CHANNEL_ERR {
  LEAVE_CHANNEL_ERR_OK = 0,
  LEAVE_CHANNEL_ERR_FAILURE = 1,
  LEAVE_CHANNEL_ERR_REJECTED = 2,
  LEAVE_CHANNEL_ERR_NOT_IN_CHANNEL = 3,
  LEAVE_CHANNEL_ERR_NOT_INITIALIZED = 101,
  LEAVE_CHANNEL_ERR_USER_NOT_LOGGED_IN = 102,
};

enum PEER_MESSAGE_ERR_CODE {
  PEER_MESSAGE_ERR_OK = 0,
  PEER_MESSAGE_ERR_FAILURE = 1,
  PEER_MESSAGE_ERR_SENT_TIMEOUT = 2,
  PEER_MESSAGE_ERR_PEER_UNREACHABLE = 3,
  PEER_MESSAGE_ERR_CACHED_BY_SERVER = 4,
  PEER_MESSAGE_ERR_TOO_OFTEN = 5,
  PEER_MESSAGE_ERR_INVALID_USERID = 6,
  PEER_MESSAGE_ERR_INVALID_MESSAGE = 7,
  PEER_MESSAGE_ERR_NOT_INITIALIZED = 101,
  PEER_MESSAGE_ERR_USER_NOT_LOGGED_IN = 102,
};

enum CHANNEL_MESSAGE_ERR_CODE {
  CHANNEL_MESSAGE_ERR_OK = 0,
  CHANNEL_MESSAGE_ERR_FAILURE = 1,
  CHANNEL_MESSAGE_ERR_SENT_TIMEOUT = 2,
  CHANNEL_MESSAGE_ERR_TOO_OFTEN = 3,
  CHANNEL_MESSAGE_ERR_INVALID_MESSAGE = 4,
  CHANNEL_MESSAGE_ERR_NOT_INITIALIZED = 101,
  CHANNEL_MESSAGE_ERR_USER_NOT_LOGGED_IN = 102,
};

enum GET_MEMBERS_ERR {
  GET_MEMBERS_ERR_OK = 0,
  GET_MEMBERS_ERR_FAILURE = 1,
  GET_MEMBERS_ERR_REJECTED = 2,
  GET_MEMBERS_ERR_TIMEOUT = 3,
  GET_MEMBERS_ERR_TOO_OFTEN = 4,
  GET_MEMBERS_ERR_NOT_IN_CHANNEL = 5,
  GET_MEMBERS_ERR_NOT_INITIALIZED = 101,
  GET_MEMBERS_ERR_USER_NOT_LOGGED_IN = 102,
};

enum QUERY_PEERS_ONLINE_STATUS_ERR {
  QUERY_PEERS_ONLINE_STATUS_ERR_OK = 0,
  QUERY_PEERS_ONLINE_STATUS_ERR_FAILURE = 1,
  QUERY_PEERS_ONLINE_STATUS_ERR_INVALID_ARGUMENT = 2,
  QUERY_PEERS_ONLINE_STATUS_ERR_REJECTED = 3,
  QUERY_PEERS_ONLINE_STATUS_ERR_TIMEOUT = 4,
  QUERY_PEERS_ONLINE_STATUS_ERR_TOO_OFTEN = 5,
  QUERY_PEERS_ONLINE_STATUS_ERR_NOT_INITIALIZED = 101,
  QUERY_PEERS_ONLINE_STATUS_ERR_USER_NOT_LOGGED_IN = 102,
};

enum ATTRIBUTE_OPERATION_ERR {
  ATTRIBUTE_OPERATION_ERR_OK = 0,
  ATTRIBUTE_OPERATION_ERR_NOT_READY = 1,
  ATTRIBUTE_OPERATION_ERR_FAILURE = 2,
  ATTRIBUTE_OPERATION_ERR_INVALID_ARGUMENT = 3,
  ATTRIBUTE_OPERATION_ERR_SIZE_OVERFLOW = 4,
  ATTRIBUTE_OPERATION_ERR_TOO_OFTEN = 5,
  ATTRIBUTE_OPERATION_ERR_USER_NOT_FOUND = 6,
  ATTRIBUTE_OPERATION_ERR_TIMEOUT = 7,
  ATTRIBUTE_OPERATION_ERR_NOT_INITIALIZED = 101,
  ATTRIBUTE_OPERATION_ERR_USER_NOT_LOGGED_IN = 102,
};

struct RtmAttribute {
  const char* key;
  const char* value;
};

struct PeerOnlineStatus {
  const char* peerId;
  bool isOnline;
};

/// A text on its way. What a callback hands over is valid until the callback returns.
class IMessage {
 protected:
  virtual ~IMessage() {}

 public:
  virtual long long getMessageId() const = 0;
  virtual void setText(const char* str) = 0;
  virtual const char* getText() const = 0;
  virtual void release() = 0;
};

class IChannelMember {
 protected:
  virtual ~IChannelMember() {}

 public:
  virtual const char* getUserId() const = 0;
  virtual const char* getChannelId() const = 0;
  virtual void release() = 0;
};

/// What a channel calls back, on threads of the SDK.
class IChannelEventHandler {
 public:
  virtual ~IChannelEventHandler() {}
  virtual void onJoinSuccess() {}
  virtual void onJoinFailure(JOIN_CHANNEL_ERR /*errorCode*/) {}
  virtual void onLeave(LEAVE_CHANNEL_ERR /*errorCode*/) {}
  virtual void onMessageReceived(const char* /*userId*/, const IMessage* /*message*/) {}
  virtual void onSendMessageResult(long long /*messageId*/, CHANNEL_MESSAGE_ERR_CODE /*state*/) {}
  virtual void onMemberJoined(IChannelMember* /*member*/) {}
  virtual void onMemberLeft(IChannelMember* /*member*/) {}
  virtual void onGetMembers(IChannelMember** /*members*/, int /*userCount*/, GET_MEMBERS_ERR /*errorCode*/) {}
};

/// A channel of a service. Calls return 0 where they were accepted; the outcome is called back.
class IChannel {
 protected:
  virtual ~IChannel() {}

 public:
  virtual int join() = 0;
  virtual int leave() = 0;
  virtual int sendMessage(const IMessage* message) = 0;
  virtual const char* getId() const = 0;
  virtual int getMembers() = 0;
  virtual void release() = 0;
};

/// What a service calls back, on threads of the SDK.
class IRtmServiceEventHandler {
 public:
  virtual ~IRtmServiceEventHandler() {}
  virtual void onLoginSuccess() {}
  virtual void onLoginFailure(LOGIN_ERR_CODE /*errorCode*/) {}
  virtual void onRenewTokenResult(const char* /*token*/, RENEW_TOKEN_ERR_CODE /*errorCode*/) {}
  virtual void onTokenExpired() {}
  virtual void onLogout(LOGOUT_ERR_CODE /*errorCode*/) {}
  virtual void onConnectionStateChanged(CONNECTION_STATE /*state*/, CONNECTION_CHANGE_REASON /*reason*/) {}
  virtual void onSendMessageResult(long long /*messageId*/, PEER_MESSAGE_ERR_CODE /*errorCode*/) {}
  virtual void onMessageReceivedFromPeer(const char* /*peerId*/, const IMessage* /*message*/) {}
  virtual void onQueryPeersOnlineStatusResult(long long /*requestId*/, const PeerOnlineStatus* /*peersStatus*/,
                                              int /*peerCount*/, QUERY_PEERS_ONLINE_STATUS_ERR /*errorCode*/) {}
  virtual void onSetLocalUserAttributesResult(long long /*requestId*/, ATTRIBUTE_OPERATION_ERR /*errorCode*/) {}
  virtual void onAddOrUpdateLocalUserAttributesResult(long long /*requestId*/, ATTRIBUTE_OPERATION_ERR /*errorCode*/) {}
  virtual void onDeleteLocalUserAttributesResult(long long /*requestId*/, ATTRIBUTE_OPERATION_ERR /*errorCode*/) {}
  virtual void onGetUserAttributesResult(long long /*requestId*/, const char* /*userId*/,
                                         const RtmAttribute* /*attributes*/, int /*numberOfAttributes*/,
                                         ATTRIBUTE_OPERATION_ERR /*errorCode*/) {}
};

/// The client. Calls return 0 where they were accepted; the outcome is called back.
class IRtmService {
 protected:
  virtual ~IRtmService() {}

 public:
  virtual int initialize(const char* appId, IRtmServiceEventHandler* eventHandler) = 0;
  virtual void release(bool sync = false) = 0;
  virtual int login(const char* token, const char* userId) = 0;
  virtual int logout() = 0;
  virtual int renewToken(const char* token) = 0;
  virtual int sendMessageToPeer(const char* peerId, const IMessage* message) = 0;
  /// Returns null where the name is not allowed, or the channel was created before.
  virtual IChannel* createChannel(const char* channelId, IChannelEventHandler* eventHandler) = 0;
  virtual IMessage* createMessage() = 0;
  virtual int setParameters(const char* parameters) = 0;
  virtual int queryPeersOnlineStatus(const char* peerIds[], int peerCount, long long& requestId) = 0;
  virtual int setLocalUserAttributes(const RtmAttribute* attributes, int numberOfAttributes, long long& requestId) = 0;
  virtual int addOrUpdateLocalUserAttributes(const RtmAttribute* attributes, int numberOfAttributes,
                                             long long& requestId) = 0;
  virtual int deleteLocalUserAttributesByKeys(const char* attributeKeys[], int numberOfKeys, long long& requestId) = 0;
  virtual int getUserAttributes(const char* userId, long long& requestId) = 0;
};

/// Makes a client: defined by the vendor's library, or by fake/.
extern "C" IRtmService* createRtmService();

}  // namespace rtm
}  // namespace agora
