// The server of the tests that count lost requests: it ends as a well-behaved server does, and says which task answered.
//
//	traffic-server                 serves on $PORT (default 80), HTTP/1.1 and HTTP/2 without TLS
//	traffic-server healthcheck     exits with 0 while the server of this container says that it is healthy, else with 1
//	traffic-server health <status> lets /health answer with this status from now on
//
// Every answer names the task in X-Task and in its text, and in X-Started when this server began, in epoch milliseconds. On SIGTERM what is in flight is answered with `Connection: close`,
// idle connections are closed, WebSockets are closed with 1001, and the program ends with 0. With GRACEFUL=no it ends at once.
// It listens START_AFTER_MS milliseconds (default 0) after its start.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// Of requests in flight, and of the answers to closed WebSockets.
const graceful = 60 * time.Second

const mostSlow = time.Minute

func main() {
	log.SetFlags(log.LstdFlags | log.Lmicroseconds)
	if len(os.Args) > 1 {
		if err := ask(os.Args[1:]); err != nil {
			log.Fatal(err)
		}
		return
	}
	task, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	select {
	case <-time.After(milliseconds(os.Getenv("START_AFTER_MS"))):
	case <-ctx.Done():
		return
	}
	if err := serve(ctx, task, os.Getenv("GRACEFUL") != "no"); err != nil {
		log.Fatal(err)
	}
}

func port() string {
	if value := os.Getenv("PORT"); value != "" {
		return value
	}
	return "80"
}

func milliseconds(text string) time.Duration {
	count, _ := strconv.Atoi(text)
	return time.Duration(count) * time.Millisecond
}

func serve(ctx context.Context, task string, gracefully bool) error {
	sockets := newSockets()
	server := &http.Server{Addr: ":" + port(), Handler: handler(task, sockets), Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	failed := make(chan error, 1)
	go func() { failed <- server.ListenAndServe() }()
	log.Printf("%s serves on %s", task, server.Addr)
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Print("told to end")
	if !gracefully {
		return nil
	}
	ending, cancel := context.WithTimeout(context.Background(), graceful)
	defer cancel()
	closed := make(chan struct{})
	go func() { sockets.closeAll(); close(closed) }()
	// It also answers what is in flight with `Connection: close`.
	err := server.Shutdown(ending)
	<-closed
	log.Print("ended")
	return err
}

func handler(task string, sockets *sockets) http.Handler {
	var health atomic.Int32
	health.Store(http.StatusOK)
	started := strconv.FormatInt(time.Now().UnixMilli(), 10)
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Task", task)
		w.Header().Set("X-Protocol", r.Proto)
		w.Header().Set("X-Started", started)
		fmt.Fprintln(w, task)
	})
	// The first part goes out at once, so that a client cannot take an answer that was cut off for one that never began.
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Task", task)
		w.Header().Set("X-Started", started)
		w.WriteHeader(http.StatusOK)
		if err := http.NewResponseController(w).Flush(); err != nil {
			return
		}
		select {
		case <-time.After(min(milliseconds(r.FormValue("ms")), mostSlow)):
			fmt.Fprintln(w, task)
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Task", task)
		w.WriteHeader(int(health.Load()))
	})
	mux.HandleFunc("PUT /health", func(w http.ResponseWriter, r *http.Request) {
		status, err := strconv.Atoi(r.FormValue("status"))
		if err != nil || status < 200 || status > 599 {
			http.Error(w, "status: expected 200 to 599", http.StatusBadRequest)
			return
		}
		health.Store(int32(status))
	})
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) { sockets.echo(w, r, task) })
	return mux
}

func ask(args []string) error {
	method, url := http.MethodGet, "http://127.0.0.1:"+port()+"/health"
	switch {
	case len(args) == 1 && args[0] == "healthcheck":
	case len(args) == 2 && args[0] == "health":
		method, url = http.MethodPut, url+"?status="+args[1]
	default:
		return errors.New("usage: traffic-server [healthcheck | health <status>]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return errors.New(response.Status)
	}
	return nil
}

// The WebSockets that are open: the HTTP server knows nothing of them any more.
type sockets struct {
	mutex   sync.Mutex
	open    map[*websocket.Conn]struct{}
	closing bool
	echoing sync.WaitGroup
}

func newSockets() *sockets { return &sockets{open: map[*websocket.Conn]struct{}{}} }

func (s *sockets) add(conn *websocket.Conn) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.closing {
		return false
	}
	s.open[conn] = struct{}{}
	s.echoing.Add(1)
	return true
}

func (s *sockets) remove(conn *websocket.Conn) {
	s.mutex.Lock()
	delete(s.open, conn)
	s.mutex.Unlock()
	s.echoing.Done()
}

func (s *sockets) echo(w http.ResponseWriter, r *http.Request, task string) {
	w.Header().Set("X-Task", task)
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	if !s.add(conn) {
		conn.Close(websocket.StatusGoingAway, "the task ends")
		return
	}
	defer s.remove(conn)
	for {
		kind, message, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		if err := conn.Write(context.Background(), kind, append([]byte(task+" "), message...)); err != nil {
			return
		}
	}
}

func (s *sockets) closeAll() {
	s.mutex.Lock()
	s.closing = true
	for conn := range s.open {
		go conn.Close(websocket.StatusGoingAway, "the task ends")
	}
	s.mutex.Unlock()
	s.echoing.Wait()
}
