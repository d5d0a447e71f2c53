// Go-gzip compresses standard input to standard output with compress/gzip of the Go
// release that built it, and a header with neither name nor time.
package main

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
)

func main() {
	level := flag.Int("level", gzip.DefaultCompression, "from -2 (Huffman coding only) to 9; -1 is the default")
	version := flag.Bool("version", false, "tell the Go release that built this, and end")
	flag.Parse()
	if *version {
		fmt.Println(runtime.Version())
		return
	}
	if err := compress(os.Stdout, os.Stdin, *level); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func compress(to io.Writer, from io.Reader, level int) error {
	writer, err := gzip.NewWriterLevel(to, level)
	if err != nil {
		return err
	}
	if _, err := io.Copy(writer, from); err != nil {
		return err
	}
	return writer.Close()
}
