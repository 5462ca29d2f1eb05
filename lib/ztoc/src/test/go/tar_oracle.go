// What Go's archive/tar says of archives: the source of the committed verdicts of TarDecisionsTest.
//
// A co-process: requests on stdin (u32 length, the archive), answers on stdout (u32 length, text), little endian.
// The text has a line for each member, then "end" and the position there, or "refused".
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
)

// Counts what the tar reader takes; without Seek, as the tool that ours must equal reads a layer.
type counter struct {
	from io.Reader
	at   int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.at += int64(n)
	return n, err
}

func verdict(archive []byte) string {
	var text strings.Builder
	in := &counter{from: bytes.NewReader(archive)}
	reader := tar.NewReader(in)
	for {
		h, err := reader.Next()
		if err == io.EOF {
			fmt.Fprintf(&text, "end %d\n", in.at)
			return text.String()
		}
		if err != nil || !strings.ContainsRune("0123456", rune(h.Typeflag)) {
			return "refused\n"
		}
		fmt.Fprintf(&text, "%c %x %x %d %d %d %d %d %x %x %d.%d %d %d", h.Typeflag, h.Name, h.Linkname, in.at, h.Size,
			h.Mode, uint32(h.Uid), uint32(h.Gid), h.Uname, h.Gname, h.ModTime.Unix(), h.ModTime.Nanosecond(),
			h.Devmajor, h.Devminor)
		keys := make([]string, 0)
		for key := range h.PAXRecords {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		for _, key := range keys {
			fmt.Fprintf(&text, " %x=%x", key, h.PAXRecords[key])
		}
		text.WriteString("\n")
	}
}

func main() {
	in := bufio.NewReader(os.Stdin)
	for {
		var length uint32
		if binary.Read(in, binary.LittleEndian, &length) != nil {
			return
		}
		archive := make([]byte, length)
		if _, err := io.ReadFull(in, archive); err != nil {
			return
		}
		text := verdict(archive)
		binary.Write(os.Stdout, binary.LittleEndian, uint32(len(text)))
		os.Stdout.WriteString(text)
	}
}
