// Traffic makes a new TLS connection and one verified request each few milliseconds, and
// prints a line for each:
//
//	WALL-MS START-NS TOOK-NS OUTCOME SERVER DETAIL
//
// START is the kernel's monotonic clock, which all processes share. The outcome is ok,
// status-NNN, or where it failed: connect, tls, read, with "deadline-" before it when time
// ran out there; overrun when too many were under way to begin another. The server is the
// common name of the certificate that was shown. A handshake must cost little, as the
// control planes run on the same processors: hence not in Java.
//
//	traffic ADDRESS PORT TLS-NAME PATH INTERVAL-MS DEADLINE-MS CA-FILE
//
// It ends when its input ends, so it cannot outlive its parent.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// More than this many under way mean that the machine cannot keep up.
const mostUnderWay = 512

type target struct {
	address  string
	path     string
	tls      *tls.Config
	interval time.Duration
	deadline time.Duration
}

func main() {
	if len(os.Args) != 8 {
		fmt.Fprintln(os.Stderr, "traffic: expected ADDRESS PORT TLS-NAME PATH INTERVAL-MS DEADLINE-MS CA-FILE")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(1)
	t, err := parse(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "traffic:", err)
		os.Exit(2)
	}
	t.run()
}

func parse(arguments []string) (*target, error) {
	interval, err := milliseconds(arguments[4])
	if err != nil {
		return nil, err
	}
	deadline, err := milliseconds(arguments[5])
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(arguments[6])
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", arguments[6])
	}
	return &target{
		address: net.JoinHostPort(arguments[0], arguments[1]),
		path:    arguments[3],
		// Without a session cache each connection is a full handshake, and shows this server's
		// certificate.
		tls:      &tls.Config{RootCAs: roots, ServerName: arguments[2]},
		interval: interval,
		deadline: deadline,
	}, nil
}

func milliseconds(text string) (time.Duration, error) {
	n, err := strconv.Atoi(text)
	return time.Duration(n) * time.Millisecond, err
}

func (t *target) run() {
	lines := make(chan string, 4096)
	var printer sync.WaitGroup
	printer.Add(1)
	go func() {
		defer printer.Done()
		out := bufio.NewWriter(os.Stdout)
		for line := range lines {
			out.WriteString(line)
			if len(lines) == 0 {
				out.Flush()
			}
		}
		out.Flush()
	}()
	ended := make(chan struct{})
	go func() {
		io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	var requests sync.WaitGroup
	slots := make(chan struct{}, mostUnderWay)
	ticker := time.NewTicker(t.interval)
	defer ticker.Stop()
	for {
		select {
		case <-ended:
			requests.Wait()
			close(lines)
			printer.Wait()
			return
		case <-ticker.C:
		}
		wall, start := time.Now(), monotonic()
		select {
		case slots <- struct{}{}:
			requests.Add(1)
			go func() {
				defer requests.Done()
				outcome, server, err := t.request()
				took := monotonic() - start
				if outcome != "ok" && took >= t.deadline.Nanoseconds() {
					outcome = "deadline-" + outcome
				}
				<-slots
				lines <- line(wall, start, took, outcome, server, err)
			}()
		default:
			lines <- line(wall, start, 0, "overrun", "-", nil)
		}
	}
}

func line(wall time.Time, start, took int64, outcome, server string, err error) string {
	detail := "-"
	if err != nil {
		detail = strings.Join(strings.Fields(err.Error()), "_")
	}
	return fmt.Sprintf("%d %d %d %s %s %s\n", wall.UnixMilli(), start, took, outcome, server, detail)
}

// request makes one, and tells how far it came, who answered, and what went wrong.
func (t *target) request() (string, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), t.deadline)
	defer cancel()
	deadline, _ := ctx.Deadline()
	plain, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.address)
	if err != nil {
		return "connect", "-", err
	}
	defer plain.Close()
	if err := plain.SetDeadline(deadline); err != nil {
		return "connect", "-", err
	}
	connection := tls.Client(plain, t.tls)
	if err := connection.Handshake(); err != nil {
		return "tls", "-", err
	}
	server := connection.ConnectionState().PeerCertificates[0].Subject.CommonName
	_, err = fmt.Fprintf(connection, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", t.path, t.tls.ServerName)
	if err != nil {
		return "read", server, err
	}
	// All of it, so that a cut body is a failure too.
	answer, err := io.ReadAll(connection)
	if err != nil {
		return "read", server, err
	}
	if len(answer) < 12 || !strings.HasPrefix(string(answer), "HTTP/1.") {
		return "read", server, fmt.Errorf("no HTTP answer but %d bytes", len(answer))
	}
	if status := string(answer[9:12]); status != "200" {
		return "status-" + status, server, nil
	}
	return "ok", server, nil
}

// monotonic reads the clock that does not jump, in nanoseconds.
func monotonic() int64 {
	const clockMonotonic = 1
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}
