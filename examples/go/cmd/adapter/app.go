package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"example.com/linkproof/rtm/rtm"
)

var hello = map[string]any{
	"contract":     1,
	"name":         "linkproof-example-go",
	"version":      "0.1.0",
	"language":     "go",
	"heartbeat_s":  rtm.HeartbeatInterval.Seconds(),
	"retry_s":      rtm.RetryInterval.Seconds(),
	"capabilities": []string{"channels", "attributes", "presence", "messages", "token-renewal", "reactions"},
}

// arguments are those of all calls; which of them a call has is the contract's affair.
type arguments struct {
	URL        string            `json:"url"`
	AppID      string            `json:"app_id"`
	Token      string            `json:"token"`
	UID        string            `json:"uid"`
	UIDs       []string          `json:"uids"`
	Channel    string            `json:"channel"`
	Peer       string            `json:"peer"`
	Text       string            `json:"text"`
	Attributes map[string]string `json:"attributes"`
	Keys       []string          `json:"keys"`
	Callback   string            `json:"callback"`
	Call       string            `json:"call"`
	Args       json.RawMessage   `json:"args"`
}

// reaction is a call to make from inside the next callback of a name; an empty one panics.
type reaction struct {
	call string
	args arguments
}

// app is the app around the client: it does what it is asked to, and reports what it is told.
type app struct {
	out     *output
	client  *rtm.Client
	waiting sync.WaitGroup // the calls whose outcome is still to come

	mu        sync.Mutex
	reactions map[string][]reaction
}

func newApp(out *output) *app { return &app{out: out, reactions: map[string][]reaction{}} }

// close ends the client. Each call that waits gets its outcome by that.
func (a *app) close() {
	if a.client != nil {
		a.client.Close()
	}
	a.waiting.Wait()
}

func (a *app) serve(asked request) {
	var args arguments
	if err := json.Unmarshal(asked.Args, &args); err != nil {
		a.out.fail(asked.ID, fmt.Sprintf("the arguments of %s: %v", asked.Call, err))
		return
	}
	switch asked.Call {
	case "hello":
		a.out.answer(asked.ID, hello)
	case "clock":
		a.out.answer(asked.ID, map[string]any{"now_ns": nowNS()})
	case "create":
		client, err := rtm.New(args.URL, args.AppID, a.callbacks())
		if err != nil {
			a.out.fail(asked.ID, err.Error())
			return
		}
		a.client = client
		a.out.answer(asked.ID, map[string]any{})
	case "react":
		a.react(asked.ID, args)
	default:
		a.carryOut(asked, args)
	}
}

func (a *app) react(id int64, args arguments) {
	next := reaction{call: args.Call}
	if len(args.Args) > 0 {
		if err := json.Unmarshal(args.Args, &next.args); err != nil {
			a.out.fail(id, fmt.Sprintf("the arguments of the reaction: %v", err))
			return
		}
	}
	a.mu.Lock()
	a.reactions[args.Callback] = append(a.reactions[args.Callback], next)
	a.mu.Unlock()
	a.out.answer(id, map[string]any{"code": 0})
}

// carryOut makes a call of the client, and answers when its outcome is there.
func (a *app) carryOut(asked request, args arguments) {
	outcome, known := a.call(asked.Call, args)
	if !known {
		a.out.fail(asked.ID, "unsupported")
		return
	}
	if outcome.done == nil {
		a.out.answer(asked.ID, outcome.result())
		return
	}
	a.waiting.Add(1)
	go func() {
		defer a.waiting.Done()
		<-outcome.done
		a.out.answer(asked.ID, outcome.result())
	}()
}

// outcome is what a call comes to: at once, or as soon as done is closed.
type outcome struct {
	done   <-chan struct{}
	result func() map[string]any
}

// call makes one call of the client, if there is one of this name. It does not wait, so it may be made from inside a
// callback.
func (a *app) call(name string, args arguments) (outcome, bool) {
	if a.client == nil { // nothing but the greeting comes before create
		return outcome{}, false
	}
	switch name {
	case "login":
		return at(a.client.Login(args.Token, args.UID)), true
	case "logout":
		return at(a.client.Logout()), true
	case "renewToken":
		return at(a.client.RenewToken(args.Token)), true
	case "join":
		return at(a.client.Join(args.Channel)), true
	case "leave":
		return at(a.client.Leave(args.Channel)), true
	case "sendToPeer":
		return later(a.client.SendToPeer(args.Peer, args.Text), "", struct{}{}), true
	case "sendToChannel":
		return later(a.client.SendToChannel(args.Channel, args.Text), "", struct{}{}), true
	case "getMembers":
		return later(a.client.Members(args.Channel), "members", []string{}), true
	case "setAttributes":
		return later(a.client.SetAttributes(args.Attributes), "", struct{}{}), true
	case "addAttributes":
		return later(a.client.AddAttributes(args.Attributes), "", struct{}{}), true
	case "deleteAttributes":
		return later(a.client.DeleteAttributes(args.Keys), "", struct{}{}), true
	case "getAttributes":
		return later(a.client.Attributes(args.UID), "attributes", map[string]string{}), true
	case "queryOnline":
		return later(a.client.QueryOnline(args.UIDs), "online", map[string]bool{}), true
	}
	return outcome{}, false
}

func at(err error) outcome {
	code := number(err)
	return outcome{result: func() map[string]any { return map[string]any{"code": code} }}
}

// later is the outcome of a Call: its value under this key, or none where it failed.
func later[T any](call *rtm.Call[T], key string, none T) outcome {
	return outcome{done: call.Done(), result: func() map[string]any {
		value, err := call.Wait(context.Background())
		result := map[string]any{"code": number(err)}
		if err != nil {
			value = none
		}
		if key != "" {
			result[key] = value
		}
		return result
	}}
}

// number is the published number of an error of the client.
func number(err error) int {
	var (
		login   rtm.LoginCode
		logout  rtm.LogoutCode
		renew   rtm.RenewCode
		join    rtm.JoinCode
		leave   rtm.LeaveCode
		request rtm.RequestCode
	)
	switch {
	case err == nil:
		return 0
	case errors.As(err, &login):
		return int(login)
	case errors.As(err, &logout):
		return int(logout)
	case errors.As(err, &renew):
		return int(renew)
	case errors.As(err, &join):
		return int(join)
	case errors.As(err, &leave):
		return int(leave)
	case errors.As(err, &request):
		return int(request)
	}
	panic(fmt.Sprintf("an error without a number: %v", err))
}

// called reports a callback, and then reacts to it as was asked.
func (a *app) called(name string, args map[string]any) {
	atNS := nowNS()
	a.out.event(name, atNS, args)
	a.mu.Lock()
	var next *reaction
	if due := a.reactions[name]; len(due) > 0 {
		next, a.reactions[name] = &due[0], due[1:]
	}
	a.mu.Unlock()
	switch {
	case next == nil:
	case next.call == "":
		panic("as linkproof asked for, from inside " + name)
	default:
		a.call(next.call, next.args)
	}
}

func (a *app) callbacks() rtm.Callbacks {
	type fields = map[string]any
	return rtm.Callbacks{
		OnLoginSuccess: func() { a.called("onLoginSuccess", fields{}) },
		OnLoginFailure: func(code rtm.LoginCode) { a.called("onLoginFailure", fields{"code": int(code)}) },
		OnLogout:       func(code rtm.LogoutCode) { a.called("onLogout", fields{"code": int(code)}) },
		OnConnectionStateChanged: func(state rtm.State, reason rtm.Reason) {
			a.called("onConnectionStateChanged", fields{"state": int(state), "reason": int(reason)})
		},
		OnTokenExpired: func() { a.called("onTokenExpired", fields{}) },
		OnRenewTokenResult: func(token string, code rtm.RenewCode) {
			a.called("onRenewTokenResult", fields{"token": token, "code": int(code)})
		},
		OnMessageReceivedFromPeer: func(peer, text string) {
			a.called("onMessageReceivedFromPeer", fields{"peer": peer, "text": text})
		},
		OnJoinSuccess: func(channel string) { a.called("onJoinSuccess", fields{"channel": channel}) },
		OnJoinFailure: func(channel string, code rtm.JoinCode) {
			a.called("onJoinFailure", fields{"channel": channel, "code": int(code)})
		},
		OnLeave: func(channel string, code rtm.LeaveCode) {
			a.called("onLeave", fields{"channel": channel, "code": int(code)})
		},
		OnMemberJoined: func(channel, member string) {
			a.called("onMemberJoined", fields{"channel": channel, "member": member})
		},
		OnMemberLeft: func(channel, member string) {
			a.called("onMemberLeft", fields{"channel": channel, "member": member})
		},
		OnMessageReceived: func(channel, member, text string) {
			a.called("onMessageReceived", fields{"channel": channel, "member": member, "text": text})
		},
	}
}
