// The server, under the control of linkproof: requests on standard input, answers on standard output.
package main

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"example.com/linkproof/rtmserver/internal/control"
	"example.com/linkproof/rtmserver/internal/hub"
	"example.com/linkproof/rtmserver/internal/token"
	"example.com/linkproof/rtmserver/internal/ws"
)

const exitUsage = 2

// What linkproof tells by the environment; without a certificate and its key there is no TLS.
const (
	secretVariable      = "LINKPROOF_SECRET"
	certificateVariable = "LINKPROOF_TLS_CERT"
	keyVariable         = "LINKPROOF_TLS_KEY"
)

func main() {
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, nil)))
	host := flag.String("host", "127.0.0.1", "the address to listen on")
	port := flag.Int("port", 0, "the port to listen on; 0 takes any that is free")
	heartbeatS := flag.Float64("heartbeat-s", 0.5, "what clients are asked for, in seconds")
	flag.Parse()
	if err := run(net.JoinHostPort(*host, strconv.Itoa(*port)), *heartbeatS); err != nil {
		slog.Error("the server has failed", "cause", err)
		os.Exit(exitUsage)
	}
}

func run(address string, heartbeatS float64) error {
	tokens, err := token.NewVerifier(os.Getenv(secretVariable))
	if err != nil {
		return fmt.Errorf("%s: %w", secretVariable, err)
	}
	listener, scheme, err := listen(address, os.Getenv(certificateVariable), os.Getenv(keyVariable))
	if err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	users := hub.New(hub.Config{Clock: hub.SystemClock{}, Tokens: tokens, NewName: rand.Text, HeartbeatS: heartbeatS})
	server := ws.Serve(listener, users)

	began := time.Now()
	nowNS := func() int64 { return time.Since(began).Nanoseconds() }
	lateness := &control.Lateness{}
	go lateness.Sample(ctx, nowNS)
	controller := control.Control{
		Hello:    control.NewHello(scheme+"://"+listener.Addr().String(), heartbeatS),
		Users:    users,
		Lateness: lateness,
		NowNS:    nowNS,
	}
	controlled := make(chan error, 1)
	go func() { controlled <- controller.Serve(os.Stdin, os.Stdout) }()
	select {
	case err = <-controlled:
	case err = <-server.Failed():
	case <-ctx.Done():
	}
	return errors.Join(err, server.Stop())
}

// listen listens, with TLS where there is a certificate; it returns the scheme of the url too.
func listen(address, certificateFile, keyFile string) (listener net.Listener, scheme string, err error) {
	if certificateFile == "" && keyFile == "" {
		listener, err = net.Listen("tcp", address)
		return listener, "ws", err
	}
	pair, err := tls.LoadX509KeyPair(certificateFile, keyFile)
	if err != nil {
		return nil, "", fmt.Errorf("%s and %s: %w", certificateVariable, keyVariable, err)
	}
	listener, err = tls.Listen("tcp", address, &tls.Config{Certificates: []tls.Certificate{pair}})
	return listener, "wss", err
}
