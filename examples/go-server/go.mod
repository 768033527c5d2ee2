module example.com/linkproof/rtmserver

go 1.24

require (
	github.com/coder/websocket v1.8.15
	github.com/golang-jwt/jwt/v5 v5.3.1
)
