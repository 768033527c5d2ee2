// Package token checks JSON Web Tokens by the rules of docs/wire-protocol.md.
package token

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// SecretMinBytes is the shortest secret that HS256 may be used with.
const SecretMinBytes = 32

var (
	// ErrInvalid says that a token is none of this server's.
	ErrInvalid = errors.New("the token is none of this server's")
	// ErrExpired says that it was good.
	ErrExpired = errors.New("the token has expired")
)

// Claims say whose a token is, and for how long; ExpiresS is in seconds since 1970, and nil where it never expires.
type Claims struct {
	AppID, UID string
	ExpiresS   *float64
}

// ExpiresInS returns for how long the token is still good; nil where for ever.
func (c Claims) ExpiresInS(now time.Time) *float64 {
	if c.ExpiresS == nil {
		return nil
	}
	left := *c.ExpiresS - float64(now.UnixNano())/1e9
	return &left
}

// Verifier knows the secret of the server.
type Verifier struct {
	secret []byte
	parser *jwt.Parser
}

// NewVerifier returns one; the secret has to be of SecretMinBytes.
func NewVerifier(secret string) (*Verifier, error) {
	if len(secret) < SecretMinBytes {
		return nil, fmt.Errorf("a secret of %d bytes, and HS256 needs at least %d", len(secret), SecretMinBytes)
	}
	// The library reads exp in whole seconds, and would look at nbf: so exp is checked here, and nothing else is.
	parser := jwt.NewParser(jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithoutClaimsValidation())
	return &Verifier{[]byte(secret), parser}, nil
}

// Verify returns the claims of a token that is this server's and has not expired; else ErrInvalid or ErrExpired.
func (v *Verifier) Verify(token string, now time.Time) (Claims, error) {
	told := jwt.MapClaims{}
	if _, err := v.parser.ParseWithClaims(token, told, func(*jwt.Token) (any, error) { return v.secret, nil }); err != nil {
		return Claims{}, ErrInvalid
	}
	appID, isAppID := told["app_id"].(string)
	uid, isUID := told["uid"].(string)
	if !isAppID || !isUID {
		return Claims{}, ErrInvalid
	}
	claims := Claims{AppID: appID, UID: uid}
	if expires, there := told["exp"]; there {
		expiresS, isNumber := expires.(float64)
		if !isNumber {
			return Claims{}, ErrInvalid
		}
		claims.ExpiresS = &expiresS
	}
	if left := claims.ExpiresInS(now); left != nil && *left <= 0 {
		return Claims{}, ErrExpired
	}
	return claims, nil
}
