// Package wire reads the frames of a client and writes those of the server, as docs/wire-protocol.md has them.
package wire

// FrameMaxBytes is the size of the greatest frame, in either direction.
const FrameMaxBytes = 65536

// CountMax is the greatest whole number of the protocol.
const CountMax = 1<<53 - 1

// The reasons of a refusal or a failure.
const (
	InvalidAppID  = "invalid_app_id"
	InvalidToken  = "invalid_token"
	TokenExpired  = "token_expired"
	NotAuthorized = "not_authorized"
	Superseded    = "superseded"
	Banned        = "banned"
	Stale         = "stale"
	Rejected      = "rejected"
	TooOften      = "too_often"
	ExceedLimit   = "exceed_limit"
	AlreadyJoined = "already_joined"
	NotInChannel  = "not_in_channel"
)

// The close codes that this server sends itself; a message that is too big is closed by the WebSocket library.
const (
	CloseNormal    = 1000
	CloseGoingAway = 1001
	CloseNoFrame   = 1007
	ClosePolicy    = 1008
	CloseFull      = 1013
)

// RemoteLogin is, beside Banned, a reason for which a session ends for good.
const RemoteLogin = "remote_login"

// ClientFrame is one of the frames of a client.
type ClientFrame interface{}

type (
	// Login is the first frame of a connection. Resume is empty where no session is to be resumed.
	Login struct {
		AppID, UID, Token, Instance string
		Attempt                     int64
		Resume                      string
	}
	// Ping is a heartbeat.
	Ping struct{ N int64 }
	// Logout ends the session.
	Logout struct{}
)

// Request is a frame that is answered with its own id.
type Request interface{ RequestID() int64 }

// ID is what a request carries, and its answer.
type ID struct {
	ID int64 `json:"id"`
}

// RequestID returns it.
func (id ID) RequestID() int64 { return id.ID }

type (
	// RenewToken puts a new token in the place of the old one.
	RenewToken struct {
		ID
		Token string
	}
	// Join enters a channel.
	Join struct {
		ID
		Channel string
	}
	// Leave leaves one.
	Leave struct {
		ID
		Channel string
	}
	// SendToPeer is a message to one user.
	SendToPeer struct {
		ID
		Peer, Text string
	}
	// SendToChannel is a message to the others in a channel.
	SendToChannel struct {
		ID
		Channel, Text string
	}
	// GetMembers asks who is in a channel.
	GetMembers struct {
		ID
		Channel string
	}
	// SetAttributes replaces one's attributes.
	SetAttributes struct {
		ID
		Attributes map[string]string
	}
	// AddAttributes adds to them.
	AddAttributes struct {
		ID
		Attributes map[string]string
	}
	// DeleteAttributes takes some away.
	DeleteAttributes struct {
		ID
		Keys []string
	}
	// GetAttributes asks for somebody's.
	GetAttributes struct {
		ID
		UID string
	}
	// QueryOnline asks who is online.
	QueryOnline struct {
		ID
		UIDs []string
	}
)

// ServerFrame is one of the frames of the server.
type ServerFrame interface{ kind() string }

type (
	// LoggedIn accepts a login.
	LoggedIn struct {
		Session         string   `json:"session"`
		Resumed         bool     `json:"resumed"`
		HeartbeatS      float64  `json:"heartbeat_s"`
		TokenExpiresInS *float64 `json:"token_expires_in_s,omitempty"`
	}
	// Refused refuses one.
	Refused struct {
		Code string `json:"code"`
		Why  string `json:"why,omitempty"`
	}
	// Pong answers a heartbeat.
	Pong struct {
		N int64 `json:"n"`
	}
	// Ended says that the session is over for good.
	Ended struct {
		Reason string `json:"reason"`
	}
	// Done says that a request was carried out.
	Done struct {
		ID
		TokenExpiresInS *float64 `json:"token_expires_in_s,omitempty"`
	}
	// Failed says that it was not.
	Failed struct {
		ID
		Code string `json:"code"`
		Why  string `json:"why,omitempty"`
	}
	// Members answers GetMembers, sorted.
	Members struct {
		ID
		Members []string `json:"members"`
	}
	// Attributes answers GetAttributes.
	Attributes struct {
		ID
		Attributes map[string]string `json:"attributes"`
	}
	// Online answers QueryOnline.
	Online struct {
		ID
		Online map[string]bool `json:"online"`
	}
	// MemberJoined tells the others in a channel of a new member.
	MemberJoined struct {
		Channel string `json:"channel"`
		UID     string `json:"uid"`
	}
	// MemberLeft tells them that one is gone.
	MemberLeft struct {
		Channel string `json:"channel"`
		UID     string `json:"uid"`
	}
	// PeerMessage is a message to one user.
	PeerMessage struct {
		Sender string `json:"sender"`
		Text   string `json:"text"`
	}
	// ChannelMessage is a message to a channel.
	ChannelMessage struct {
		Channel string `json:"channel"`
		Sender  string `json:"sender"`
		Text    string `json:"text"`
	}
)

func (LoggedIn) kind() string       { return "logged_in" }
func (Refused) kind() string        { return "refused" }
func (Pong) kind() string           { return "pong" }
func (Ended) kind() string          { return "ended" }
func (Done) kind() string           { return "done" }
func (Failed) kind() string         { return "failed" }
func (Members) kind() string        { return "members" }
func (Attributes) kind() string     { return "attributes" }
func (Online) kind() string         { return "online" }
func (MemberJoined) kind() string   { return "member_joined" }
func (MemberLeft) kind() string     { return "member_left" }
func (PeerMessage) kind() string    { return "peer_message" }
func (ChannelMessage) kind() string { return "channel_message" }
