// Package ws carries a hub over WebSocket: for each connection a goroutine that reads, and one that writes.
package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"example.com/linkproof/rtmserver/internal/hub"
	"example.com/linkproof/rtmserver/internal/wire"
)

const (
	subprotocol   = "rtm.v1"
	handshakeTime = 10 * time.Second
	closeTime     = 2 * time.Second // so long a client has to answer the server's close ...
	stopTime      = time.Second     // ... and so long all of them have at a stop, which is not waited for for 2 s
)

// Server listens for clients of a hub.
type Server struct {
	hub    *hub.Hub
	http   *http.Server
	served chan error
	conns  sync.WaitGroup
}

type rawConn struct{}

// Serve begins to take connections.
func Serve(listener net.Listener, of *hub.Hub) *Server {
	s := &Server{hub: of, served: make(chan error, 1)}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: handshakeTime,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, raw net.Conn) context.Context {
			if secure, is := raw.(*tls.Conn); is {
				raw = secure.NetConn() // the end of TLS may wait for a client; the end of TCP does not
			}
			return context.WithValue(ctx, rawConn{}, raw)
		},
	}
	go func() { s.served <- s.http.Serve(listener) }()
	return s
}

// Failed is told why it takes no more connections; after a Stop that is http.ErrServerClosed.
func (s *Server) Failed() <-chan error { return s.served }

// Stop ends it in order: no new connection, a close on each that is there, and a moment for the answers.
func (s *Server) Stop() error {
	err := s.http.Close()
	s.hub.Stop()
	closed := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(stopTime):
	}
	return err
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if !offers(r.Header, subprotocol) {
		http.Error(w, "the subprotocol "+subprotocol+" is spoken here", http.StatusBadRequest)
		return
	}
	s.conns.Add(1)
	defer s.conns.Done()
	socket, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{subprotocol},
		InsecureSkipVerify: true, // a token proves who it is, and no cookie: pages of any origin may connect
	})
	if err != nil {
		slog.Info("no WebSocket", "from", r.RemoteAddr, "cause", err)
		return
	}
	raw, is := r.Context().Value(rawConn{}).(net.Conn)
	if !is {
		panic("a connection that the server has not accepted")
	}
	socket.SetReadLimit(wire.FrameMaxBytes)
	link := newLink(socket, raw)
	conn := s.hub.Open(link)
	written := make(chan struct{})
	go func() {
		defer close(written)
		link.write()
	}()
	s.read(socket, conn)
	s.hub.Lost(conn)
	link.end()
	<-written
}

// read hands over what comes until the connection ends.
func (s *Server) read(socket *websocket.Conn, conn *hub.Conn) {
	for {
		kind, message, err := socket.Read(context.Background())
		switch {
		case errors.Is(err, websocket.ErrMessageTooBig):
			slog.Info("a message that is too big")
			return
		case err != nil:
			return
		case kind != websocket.MessageText:
			s.hub.Unreadable(conn)
		default:
			s.hub.Received(conn, message)
		}
	}
}

func offers(header http.Header, wanted string) bool {
	for _, line := range header.Values("Sec-WebSocket-Protocol") {
		offered := strings.Split(line, ",")
		if slices.ContainsFunc(offered, func(each string) bool { return strings.TrimSpace(each) == wanted }) {
			return true
		}
	}
	return false
}
