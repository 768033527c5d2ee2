package rtm

import "fmt"

// State is a state of the connection, by its published number.
type State int

// The states that a client can be in. A new client is Disconnected.
const (
	Disconnected State = 1
	Connecting   State = 2
	Connected    State = 3
	Reconnecting State = 4
	Aborted      State = 5
)

func (s State) String() string {
	return numbered("State", int(s), map[int]string{
		1: "DISCONNECTED", 2: "CONNECTING", 3: "CONNECTED", 4: "RECONNECTING", 5: "ABORTED",
	})
}

// Reason says why the state was switched, by its published number.
type Reason int

// The reasons of a switch.
const (
	ReasonLogin          Reason = 1
	ReasonLoginSuccess   Reason = 2
	ReasonLoginFailure   Reason = 3
	ReasonLoginTimeout   Reason = 4
	ReasonInterrupted    Reason = 5
	ReasonLogout         Reason = 6
	ReasonBannedByServer Reason = 7
	ReasonRemoteLogin    Reason = 8
)

func (r Reason) String() string {
	return numbered("Reason", int(r), map[int]string{
		1: "LOGIN", 2: "LOGIN_SUCCESS", 3: "LOGIN_FAILURE", 4: "LOGIN_TIMEOUT",
		5: "INTERRUPTED", 6: "LOGOUT", 7: "BANNED_BY_SERVER", 8: "REMOTE_LOGIN",
	})
}

// LoginCode says what became of a login. As an error it is never LoginOK.
type LoginCode int

// The published codes of a login.
const (
	LoginOK              LoginCode = 0
	LoginUnknown         LoginCode = 1
	LoginRejected        LoginCode = 2
	LoginInvalidArgument LoginCode = 3
	LoginInvalidAppID    LoginCode = 4
	LoginInvalidToken    LoginCode = 5
	LoginTokenExpired    LoginCode = 6
	LoginNotAuthorized   LoginCode = 7
	LoginAlreadyLoggedIn LoginCode = 8
	LoginTimeout         LoginCode = 9
	LoginTooOften        LoginCode = 10
	LoginNotInitialized  LoginCode = 101
)

func (c LoginCode) Error() string {
	return numbered("login", int(c), map[int]string{
		0: "OK", 1: "UNKNOWN", 2: "REJECTED", 3: "INVALID_ARGUMENT", 4: "INVALID_APP_ID", 5: "INVALID_TOKEN",
		6: "TOKEN_EXPIRED", 7: "NOT_AUTHORIZED", 8: "ALREADY_LOGGED_IN", 9: "TIMEOUT", 10: "TOO_OFTEN",
		101: "NOT_INITIALIZED",
	})
}

// LogoutCode says what became of a logout.
type LogoutCode int

// The published codes of a logout.
const (
	LogoutOK             LogoutCode = 0
	LogoutRejected       LogoutCode = 1
	LogoutNotInitialized LogoutCode = 101
	LogoutNotLoggedIn    LogoutCode = 102
)

func (c LogoutCode) Error() string {
	return numbered("logout", int(c), map[int]string{
		0: "OK", 1: "REJECTED", 101: "NOT_INITIALIZED", 102: "USER_NOT_LOGGED_IN",
	})
}

// RenewCode says what became of the renewal of a token.
type RenewCode int

// The published codes of a renewal.
const (
	RenewOK              RenewCode = 0
	RenewFailure         RenewCode = 1
	RenewInvalidArgument RenewCode = 2
	RenewRejected        RenewCode = 3
	RenewTooOften        RenewCode = 4
	RenewTokenExpired    RenewCode = 5
	RenewInvalidToken    RenewCode = 6
	RenewNotInitialized  RenewCode = 101
	RenewNotLoggedIn     RenewCode = 102
)

func (c RenewCode) Error() string {
	return numbered("renew token", int(c), map[int]string{
		0: "OK", 1: "FAILURE", 2: "INVALID_ARGUMENT", 3: "REJECTED", 4: "TOO_OFTEN", 5: "TOKEN_EXPIRED",
		6: "INVALID_TOKEN", 101: "NOT_INITIALIZED", 102: "USER_NOT_LOGGED_IN",
	})
}

// JoinCode says what became of joining a channel.
type JoinCode int

// The published codes of joining.
const (
	JoinOK              JoinCode = 0
	JoinFailure         JoinCode = 1
	JoinRejected        JoinCode = 2
	JoinInvalidArgument JoinCode = 3
	JoinTimeout         JoinCode = 4
	JoinExceedLimit     JoinCode = 5
	JoinAlreadyJoined   JoinCode = 6
	JoinTooOften        JoinCode = 7
	JoinNotInitialized  JoinCode = 101
	JoinNotLoggedIn     JoinCode = 102
)

func (c JoinCode) Error() string {
	return numbered("join", int(c), map[int]string{
		0: "OK", 1: "FAILURE", 2: "REJECTED", 3: "INVALID_ARGUMENT", 4: "JOIN_CHANNEL_TIMEOUT", 5: "EXCEED_LIMIT",
		6: "ALREADY_JOINED", 7: "TOO_OFTEN", 101: "NOT_INITIALIZED", 102: "USER_NOT_LOGGED_IN",
	})
}

// LeaveCode says what became of leaving a channel.
type LeaveCode int

// The published codes of leaving.
const (
	LeaveOK             LeaveCode = 0
	LeaveFailure        LeaveCode = 1
	LeaveRejected       LeaveCode = 2
	LeaveNotInChannel   LeaveCode = 3
	LeaveNotInitialized LeaveCode = 101
	LeaveNotLoggedIn    LeaveCode = 102
)

func (c LeaveCode) Error() string {
	return numbered("leave", int(c), map[int]string{
		0: "OK", 1: "FAILURE", 2: "REJECTED", 3: "NOT_IN_CHANNEL", 101: "NOT_INITIALIZED", 102: "USER_NOT_LOGGED_IN",
	})
}

// RequestCode says why a Call failed. The SDK publishes no numbers for these calls, so they follow those of joining.
type RequestCode int

// The codes of messages, of questions and of attributes.
const (
	RequestOK              RequestCode = 0
	RequestFailure         RequestCode = 1 // among others: the answer was lost with its connection
	RequestRejected        RequestCode = 2
	RequestInvalidArgument RequestCode = 3
	RequestTimeout         RequestCode = 4
	RequestExceedLimit     RequestCode = 5
	RequestNotInChannel    RequestCode = 6
	RequestTooOften        RequestCode = 7
	RequestNotInitialized  RequestCode = 101
	RequestNotLoggedIn     RequestCode = 102
)

func (c RequestCode) Error() string {
	return numbered("request", int(c), map[int]string{
		0: "OK", 1: "FAILURE", 2: "REJECTED", 3: "INVALID_ARGUMENT", 4: "TIMEOUT", 5: "EXCEED_LIMIT",
		6: "NOT_IN_CHANNEL", 7: "TOO_OFTEN", 101: "NOT_INITIALIZED", 102: "USER_NOT_LOGGED_IN",
	})
}

// numbered is the name of a number, or the number where it has none.
func numbered(of string, number int, names map[int]string) string {
	if name, ok := names[number]; ok {
		return of + ": " + name
	}
	return fmt.Sprintf("%s: %d", of, number)
}

// orNil makes an error of a code: nil where it is the code of success.
func orNil[C interface {
	~int
	error
}](code C) error {
	if code == 0 {
		return nil
	}
	return code
}
