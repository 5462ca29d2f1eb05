package dev.socifleet.cli.push;

/** What is done where the image has an index at the registry already. */
enum ExistingIndex {
  warn,
  skip,
  allow
}
