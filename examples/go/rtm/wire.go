package rtm

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// What the protocol rtm.v1 sets, by docs/wire-protocol.md.
const (
	subprotocol       = "rtm.v1"
	frameMaxBytes     = 65536
	nameMaxChars      = 64
	tokenMaxChars     = 4096
	textMaxChars      = 32768
	attributesMax     = 32
	attributeMaxChars = 1024
	namesMax          = 256
	channelsMax       = 20
)

// frame is what the client sends: its type, and its fields.
type frame map[string]any

func (f frame) encode() ([]byte, error) {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false) // <, > and & as they are: six bytes each would not fit the limit of a frame
	if err := encoder.Encode(f); err != nil {
		return nil, err
	}
	return bytes.TrimRight(buffer.Bytes(), "\n"), nil
}

// fits says whether a request may be sent at all, whatever id it gets.
func (f frame) fits() bool {
	data, err := f.encode()
	return err == nil && len(data) <= frameMaxBytes-len(`"id":9007199254740991,`)
}

// serverFrame is any frame of the server; which fields it has follows from Type.
type serverFrame struct {
	Type           string            `json:"type"`
	ID             int64             `json:"id"`
	N              int64             `json:"n"`
	Code           string            `json:"code"`
	Why            string            `json:"why"`
	Reason         string            `json:"reason"`
	Session        string            `json:"session"`
	Resumed        bool              `json:"resumed"`
	HeartbeatS     float64           `json:"heartbeat_s"`
	TokenExpiresIn *float64          `json:"token_expires_in_s"`
	Members        []string          `json:"members"`
	Attributes     map[string]string `json:"attributes"`
	Online         map[string]bool   `json:"online"`
	Channel        string            `json:"channel"`
	UID            string            `json:"uid"`
	Sender         string            `json:"sender"`
	Text           string            `json:"text"`
}

var serverTypes = map[string]bool{
	"logged_in": true, "refused": true, "pong": true, "ended": true, "done": true, "failed": true, "members": true,
	"attributes": true, "online": true, "member_joined": true, "member_left": true, "peer_message": true,
	"channel_message": true,
}

// decode reads a frame of the server. An error means that the connection speaks no rtm.v1 and is to be given up.
func decode(data []byte) (*serverFrame, error) {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	var f serverFrame
	if err := decoder.Decode(&f); err != nil {
		return nil, fmt.Errorf("not a frame of the server: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a frame of the server: more than one object")
	}
	if !serverTypes[f.Type] {
		return nil, fmt.Errorf("not a frame of the server: type %q", f.Type)
	}
	if f.Type == "logged_in" && (f.Session == "" || f.HeartbeatS <= 0) {
		return nil, errors.New("not a frame of the server: logged_in without a session or a heartbeat")
	}
	return &f, nil
}

// within says whether a string is there, and text that JSON can carry, and not longer than so many characters.
func within(text string, maxChars int) bool {
	return text != "" && fitting(text, maxChars)
}

// fitting is within for what may be empty.
func fitting(text string, maxChars int) bool {
	return utf8.ValidString(text) && utf8.RuneCountInString(text) <= maxChars
}

func validName(name string) bool { return within(name, nameMaxChars) }

func validAttributes(attributes map[string]string) bool {
	if len(attributes) > attributesMax {
		return false
	}
	for key, value := range attributes {
		if !validName(key) || !fitting(value, attributeMaxChars) {
			return false
		}
	}
	return true
}

func validNames(names []string) bool {
	if len(names) > namesMax {
		return false
	}
	for _, name := range names {
		if !validName(name) {
			return false
		}
	}
	return true
}

// failure says why a request has no answer of its own. The codes of the wire stand beside those that arise here.
type failure string

const (
	answered failure = ""
	// refused or failed by the server
	invalidArgument failure = "invalid_argument"
	invalidAppID    failure = "invalid_app_id"
	invalidToken    failure = "invalid_token"
	tokenExpired    failure = "token_expired"
	notAuthorized   failure = "not_authorized"
	superseded      failure = "superseded"
	banned          failure = "banned"
	stale           failure = "stale"
	rejected        failure = "rejected"
	tooOften        failure = "too_often"
	exceedLimit     failure = "exceed_limit"
	alreadyJoined   failure = "already_joined"
	notInChannel    failure = "not_in_channel"
	// never answered
	timedOut    failure = "timed out"   // its time was over first
	interrupted failure = "interrupted" // its connection was lost first: it may have been carried out, or not
	loggedOut   failure = "logged out"  // the login that it belonged to is over
)

// lookUp translates a failure, and takes what has no code of its own for the general one.
func lookUp[C ~int](codes map[failure]C, why failure, general C) C {
	if code, ok := codes[why]; ok {
		return code
	}
	return general
}

func loginCode(why failure) LoginCode {
	return lookUp(map[failure]LoginCode{
		invalidArgument: LoginInvalidArgument, invalidAppID: LoginInvalidAppID, invalidToken: LoginInvalidToken,
		tokenExpired: LoginTokenExpired, notAuthorized: LoginNotAuthorized, rejected: LoginRejected,
		banned: LoginRejected, superseded: LoginRejected, tooOften: LoginTooOften, timedOut: LoginTimeout,
	}, why, LoginUnknown)
}

func renewCode(why failure) RenewCode {
	return lookUp(map[failure]RenewCode{
		answered: RenewOK, invalidArgument: RenewInvalidArgument, invalidToken: RenewInvalidToken,
		tokenExpired: RenewTokenExpired, notAuthorized: RenewRejected, rejected: RenewRejected, tooOften: RenewTooOften,
	}, why, RenewFailure)
}

func joinCode(why failure) JoinCode {
	return lookUp(map[failure]JoinCode{
		answered: JoinOK, invalidArgument: JoinInvalidArgument, rejected: JoinRejected, timedOut: JoinTimeout,
		exceedLimit: JoinExceedLimit, tooOften: JoinTooOften,
	}, why, JoinFailure)
}

func leaveCode(why failure) LeaveCode {
	return lookUp(map[failure]LeaveCode{answered: LeaveOK, rejected: LeaveRejected}, why, LeaveFailure)
}

func requestCode(why failure) RequestCode {
	return lookUp(map[failure]RequestCode{
		answered: RequestOK, invalidArgument: RequestInvalidArgument, rejected: RequestRejected,
		timedOut: RequestTimeout, exceedLimit: RequestExceedLimit, notInChannel: RequestNotInChannel,
		tooOften: RequestTooOften, loggedOut: RequestNotLoggedIn,
	}, why, RequestFailure)
}
