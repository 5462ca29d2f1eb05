/**
 * The wire contract of fetch-cache and the client that indexers and nodes use.
 *
 * <dl>
 *   <dt>member
 *   <dd>one fetch-cache process, known by its address
 *   <dt>placement
 *   <dd>which member keeps what: each client computes it from the list of members alone
 *   <dt>first choice
 *   <dd>the member that keeps a key, and the only one that asks the registry for it; the next in
 *       the key's order is its second choice
 *   <dt>only if cached
 *   <dd>a question that must not cost the registry anything
 * </dl>
 *
 * <p>The requests, all under a member's address:
 *
 * <pre>
 * GET    /v1/spans/{span}?repository=&amp;blob=&amp;range=first-last     one span
 * POST   /v1/spans?repository=&amp;blob=                             {@link SpanList} in, {@link SpanFrames} out
 * GET    /v1/ztocs/{layer}/{span size}?repository=               a zTOC; without repository for holders of the fleet token
 * PUT    /v1/ztocs/{layer}/{span size}                           fleet token
 * POST   /v1/leases/{layer}/{span size}?holder=&amp;seconds=         fleet token; 409 while another one holds it
 * DELETE /v1/leases/{layer}/{span size}?holder=                  fleet token
 * </pre>
 *
 * <p>The caller's Authorization at the registry travels in {@code X-Registry-Authorization}; {@code
 * Authorization} is for the fleet token. {@code Cache-Control: only-if-cached} asks for nothing but
 * what is there (RFC 9111, 5.2.1.7). {@code Soci-Forwarded: 1} says that a member asks on behalf of
 * its caller; it isn't forwarded again. Errors are {@code {"code": "…", "message": "…"}}:
 *
 * <table>
 *   <tr><td>400<td>not understood
 *   <tr><td>401<td>the fleet token is missing or another one
 *   <tr><td>403<td>the registry would not give these bytes to this caller, or the blob doesn't hold this span there
 *   <tr><td>404<td>no such zTOC
 *   <tr><td>408<td>the body came too slowly
 *   <tr><td>409<td>another one holds the lease
 *   <tr><td>411<td>a body without its length
 *   <tr><td>413<td>a span or a zTOC larger than this member handles
 *   <tr><td>422<td>not a zTOC of this span size
 *   <tr><td>502<td>the registry failed
 *   <tr><td>503<td>too much at once; with Retry-After
 *   <tr><td>504<td>only if cached, and it isn't
 * </table>
 */
@NullMarked
package dev.socifleet.cacheclient;

import org.jspecify.annotations.NullMarked;
