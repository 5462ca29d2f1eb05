/**
 * What every service needs once: configuration, health, metrics, logging, shutdown.
 *
 * <dl>
 *   <dt>settings
 *   <dd>one service's configuration: a TOML file, under environment variables, under arguments
 *   <dt>key
 *   <dd>a setting's dotted name, {@code kafka.bootstrap}; an entry of an array of tables has its
 *       number in it, {@code source.0.name}
 *   <dt>ready
 *   <dd>whether the service can do its work now; a service that cannot stays up and says why
 *   <dt>admin port
 *   <dd>where a service answers {@code /healthz}, {@code /readyz} and {@code /metrics}
 *   <dt>fleet token
 *   <dd>the secret that the services and nodes of one fleet share
 * </dl>
 */
@NullMarked
package dev.socifleet.service;

import org.jspecify.annotations.NullMarked;
