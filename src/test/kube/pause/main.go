// Command pause does nothing until it is told to stop. It is all that is in the image
// of the lab's pods: their sandbox, and a container that shall merely exist.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	<-stop
}
