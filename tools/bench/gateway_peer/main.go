// The peer of the REST figures of `tools/bench/run rpc`: grpc-gateway as its documentation wires it, a REST
// listener that calls a gRPC server over loopback, both in this process. Its answers have the shape and
// size of vigil's. Prints "ready on HOST:PORT".
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/runtime"
	"google.golang.org/grpc"

	"peer"
)

type events struct{}

// The properties do not change; the rest is made of the request.
var properties = func() []*peer.Property {
	filler := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 3)[:64]
	list := []*peer.Property{
		{Key: "agent.id", Type: "string", Values: []string{"admin"}},
		{Key: "agent.timestamp", Type: "string", Values: []string{"1795349037067"}},
		{Key: "engine.timestamp", Type: "string", Values: []string{"1795349037067"}},
	}
	for i := 0; i < 8; i++ {
		list = append(list, &peer.Property{
			Key: fmt.Sprintf("bench.property.%d", i), Type: "string", Values: []string{filler + " 1"}})
	}
	return list
}()

func (events) GetEvent(_ context.Context, request *peer.GetEventRequest) (*peer.Answer, error) {
	at := request.Timestamp
	return &peer.Answer{
		ResponseCode: 200,
		Data: &peer.Event{
			Id:   fmt.Sprintf("AGGR/%d/%d/%s", at, request.Customer, request.Uuid),
			Type: "aggregated",
			Uuid: request.Uuid,
			Customer: &peer.Reference{Id: request.Customer, Name: "Bench", ShortName: "bench",
				Domain: &peer.Reference{Id: 1, Name: "vigil"}},
			Signature:   &peer.Reference{Name: "BENCH-1:1"},
			Properties:  properties,
			Count:       1,
			Severity:    "medium",
			Uri:         "https://host1.example.com/path/1",
			Domain:      "host1.example.com",
			Source:      &peer.Endpoint{Address: "10.0.0.1", Port: 1025},
			Destination: &peer.Endpoint{Address: "192.0.2.2", Port: 443},
			Protocol:    "tcp",
			Timestamps: &peer.Timestamps{Created: at, EnginePersisted: at, FirstEvent: at, LastEvent: at,
				LastUpdated: at, Published: at},
		},
	}, nil
}

func main() {
	backend, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	peer.RegisterEventsServer(server, events{})
	go func() { log.Fatal(server.Serve(backend)) }()

	mux := runtime.NewServeMux(
		runtime.WithMarshalerOption(runtime.MIMEWildcard, &runtime.JSONPb{EmitDefaults: true}))
	options := []grpc.DialOption{grpc.WithInsecure()}
	err = peer.RegisterEventsHandlerFromEndpoint(context.Background(), mux, backend.Addr().String(), options)
	if err != nil {
		log.Fatal(err)
	}
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("ready on %s\n", front.Addr())
	os.Stdout.Sync()
	log.Fatal(http.Serve(front, mux))
}
