// Looks up many references with go-containerregistry: workers call remote.Head and share a Puller.
// The Puller keeps the connections, and one login for each repository. Prints one line per
// reference: "REFERENCE DIGEST".
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "heads:", err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: heads FILE WORKERS USER PASSWORD")
	}
	text, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	workers, err := strconv.Atoi(arguments[1])
	if err != nil {
		return err
	}
	login := &authn.Basic{Username: arguments[2], Password: arguments[3]}
	options := []remote.Option{remote.WithAuth(login)}
	puller, err := remote.NewPuller(options...)
	if err != nil {
		return err
	}
	options = append(options, remote.Reuse(puller))

	references := strings.Fields(string(text))
	lines := make([]string, len(references))
	errors := make([]error, len(references))
	work := make(chan int)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for item := range work {
				lines[item], errors[item] = head(references[item], options)
			}
		})
	}
	for item := range references {
		work <- item
	}
	close(work)
	group.Wait()

	output := bufio.NewWriter(os.Stdout)
	for item, line := range lines {
		if errors[item] != nil {
			return errors[item]
		}
		fmt.Fprintln(output, line)
	}
	return output.Flush()
}

func head(text string, options []remote.Option) (string, error) {
	reference, err := name.ParseReference(text)
	if err != nil {
		return "", err
	}
	descriptor, err := remote.Head(reference, options...)
	if err != nil {
		return "", err
	}
	return text + " " + descriptor.Digest.String(), nil
}
