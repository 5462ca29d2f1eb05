/** What every service needs once: configuration, health, metrics, logging, shutdown. */
@NullMarked
package dev.socifleet.service;

import org.jspecify.annotations.NullMarked;
