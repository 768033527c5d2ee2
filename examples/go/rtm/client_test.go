package rtm

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// patience bounds what a test waits for. Nothing here takes so long unless it is broken.
const patience = 10 * time.Second

// serve is a server that lets everybody in, and answers what these tests ask.
func serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		conn, err := websocket.Accept(w, request, &websocket.AcceptOptions{Subprotocols: []string{subprotocol}})
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.CloseNow()
		for {
			_, data, err := conn.Read(request.Context())
			if err != nil {
				return // the client has gone
			}
			var f map[string]any
			if err := json.Unmarshal(data, &f); err != nil {
				t.Error(err)
				return
			}
			answer := map[string]any{"type": "done", "id": f["id"]}
			switch f["type"] {
			case "login":
				answer = map[string]any{"type": "logged_in", "session": "S", "resumed": false, "heartbeat_s": 0.5}
			case "ping":
				answer = map[string]any{"type": "pong", "n": f["n"]}
			case "logout":
				return
			}
			data, err = json.Marshal(answer)
			if err != nil || conn.Write(request.Context(), websocket.MessageText, data) != nil {
				return
			}
		}
	}))
	t.Cleanup(server.Close)
	return "ws" + strings.TrimPrefix(server.URL, "http")
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatal("waited in vain")
		panic("not reached")
	}
}

func TestALifeOverARealConnection(t *testing.T) {
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	var client *Client
	left, gone := make(chan string, 1), make(chan State, 1)
	client, err := New(serve(t), "app", Callbacks{
		OnLoginSuccess: func() { panic("an app that is broken breaks nothing else") },
		OnConnectionStateChanged: func(state State, _ Reason) {
			switch state {
			case Connected:
				if err := client.Join("lobby"); err != nil { // from inside a callback
					t.Error(err)
				}
			case Disconnected:
				gone <- state
			}
		},
		OnJoinSuccess: func(channel string) {
			if err := client.Leave(channel); err != nil {
				t.Error(err)
			}
		},
		OnLeave: func(channel string, _ LeaveCode) { left <- channel },
	}, WithLogger(quiet))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.Login("token", "alice"); err != nil {
		t.Fatal(err)
	}
	if channel := receive(t, left); channel != "lobby" {
		t.Errorf("left %s", channel)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := client.SendToPeer("bob", "hi").Wait(ctx); err != nil {
		t.Error(err)
	}
	if err := client.Logout(); err != nil {
		t.Error(err)
	}
	receive(t, gone)
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	address := serve(t)
	before := runtime.NumGoroutine()
	connected := make(chan State, 10)
	client, err := New(address, "app", Callbacks{
		OnConnectionStateChanged: func(state State, _ Reason) { connected <- state },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Login("token", "alice"); err != nil {
		t.Fatal(err)
	}
	receive(t, connected)
	receive(t, connected)
	client.Close()
	client.Close()
	if err := client.Login("token", "alice"); err != LoginNotInitialized {
		t.Errorf("login after Close: %v", err)
	}
	for deadline := time.Now().Add(patience); runtime.NumGoroutine() > before; runtime.Gosched() {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("goroutines are left behind:\n%s", stacks[:runtime.Stack(stacks, true)])
		}
	}
}
