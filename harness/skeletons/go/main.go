// A linkproof adapter: requests come on standard input, answers and events go to standard output, a line each.
package main

import (
	"encoding/json"
	"os"
	"sync"
	"time"
)

type object = map[string]any

const notInitialized = 101 // what login() says as long as there is no SDK

// Declare what is true, and each capability once its calls are there: "channels", "messages", ...
var hello = object{"contract": 1, "name": "my-sdk", "version": "0", "language": "go",
	"heartbeat_s": 0.5, "retry_s": 1.0, "capabilities": []string{}}
var begun, oneAtATime, out = time.Now(), sync.Mutex{}, json.NewEncoder(os.Stdout)

func nowNs() int64 { return time.Since(begun).Nanoseconds() } // monotonic; linkproof works out how far it is off

func say(message object) {
	oneAtATime.Lock()
	defer oneAtATime.Unlock()
	out.Encode(message)
}

// event reports a callback. Take nowNs() first thing inside it.
func event(name string, atNs int64, args object) {
	say(object{"event": name, "at_ns": atNs, "args": args})
}

var created bool // the SDK goes here: have it call event() in each of its callbacks

func carryOut(call string, args object) (string, any) {
	switch {
	case call == "hello":
		return "result", hello
	case call == "clock":
		return "result", object{"now_ns": nowNs()}
	case call == "create" && !created:
		created = true // make the SDK for args["url"] and args["app_id"], without connecting
		return "result", object{}
	case call == "create" || (call == "login" || call == "logout") && !created:
		return "error", call + " out of order"
	case call == "login", call == "logout": // return what the SDK returns; the other calls go beside these two
		return "result", object{"code": notInitialized}
	}
	return "error", "unsupported"
}

func main() {
	requests, request := json.NewDecoder(os.Stdin), object{}
	for requests.Decode(&request) == nil {
		args, _ := request["args"].(object)
		field, value := carryOut(request["call"].(string), args)
		say(object{"id": request["id"], "at_ns": nowNs(), field: value})
		request = object{}
	}
}
