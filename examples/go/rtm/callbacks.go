package rtm

import (
	"log/slog"
	"reflect"
	"runtime/debug"
	"sync"
)

// Callbacks is what the app is told. A nil field is not called.
//
// They come one at a time and in order, on a goroutine of the client. Every method of Client may be called from inside
// them; only Wait should not be, for it holds up the callbacks that follow. A panic in one of them is logged, and
// breaks nothing.
type Callbacks struct {
	OnLoginSuccess            func()
	OnLoginFailure            func(code LoginCode)
	OnLogout                  func(code LogoutCode)
	OnConnectionStateChanged  func(state State, reason Reason)
	OnTokenExpired            func()
	OnRenewTokenResult        func(token string, code RenewCode)
	OnMessageReceivedFromPeer func(peer, text string)
	OnJoinSuccess             func(channel string)
	OnJoinFailure             func(channel string, code JoinCode)
	OnLeave                   func(channel string, code LeaveCode)
	OnMemberJoined            func(channel, member string)
	OnMemberLeft              func(channel, member string)
	OnMessageReceived         func(channel, member, text string)
}

// filled has a function in each field, so that none has to be asked for.
func (c Callbacks) filled() *Callbacks {
	or(&c.OnLoginSuccess, func() {})
	or(&c.OnLoginFailure, func(LoginCode) {})
	or(&c.OnLogout, func(LogoutCode) {})
	or(&c.OnConnectionStateChanged, func(State, Reason) {})
	or(&c.OnTokenExpired, func() {})
	or(&c.OnRenewTokenResult, func(string, RenewCode) {})
	or(&c.OnMessageReceivedFromPeer, func(string, string) {})
	or(&c.OnJoinSuccess, func(string) {})
	or(&c.OnJoinFailure, func(string, JoinCode) {})
	or(&c.OnLeave, func(string, LeaveCode) {})
	or(&c.OnMemberJoined, func(string, string) {})
	or(&c.OnMemberLeft, func(string, string) {})
	or(&c.OnMessageReceived, func(string, string, string) {})
	return &c
}

func or[F any](field *F, otherwise F) {
	if reflect.ValueOf(*field).IsNil() {
		*field = otherwise
	}
}

// dispatcher makes the callbacks, one after the other, away from whatever gave rise to them.
type dispatcher struct {
	logger *slog.Logger
	wake   chan struct{} // room for one: there is something to do
	stop   chan struct{}

	mu    sync.Mutex
	queue []func()
}

func newDispatcher(logger *slog.Logger) *dispatcher {
	d := &dispatcher{logger: logger, wake: make(chan struct{}, 1), stop: make(chan struct{})}
	go d.run()
	return d
}

// add queues a callback. It never waits, so it may be called from inside one.
func (d *dispatcher) add(callback func()) {
	d.mu.Lock()
	d.queue = append(d.queue, callback)
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default: // it is to wake up already
	}
}

func (d *dispatcher) run() {
	for {
		select {
		case <-d.stop:
			return
		case <-d.wake:
		}
		for _, callback := range d.taken() {
			select {
			case <-d.stop:
				return
			default:
				d.call(callback)
			}
		}
	}
}

func (d *dispatcher) taken() []func() {
	d.mu.Lock()
	defer d.mu.Unlock()
	taken := d.queue
	d.queue = nil
	return taken
}

func (d *dispatcher) call(callback func()) {
	defer func() {
		if cause := recover(); cause != nil {
			d.logger.Error("a callback panicked", "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	callback()
}
