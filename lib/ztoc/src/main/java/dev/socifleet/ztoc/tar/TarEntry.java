package dev.socifleet.ztoc.tar;

import java.util.SortedMap;

/**
 * What the headers of one member say, extended headers applied.
 *
 * @param name raw, as in the archive: a leading {@code ./}, a trailing {@code /} and {@code ..}
 *     stay
 * @param offset of the first byte of data in the uncompressed stream
 * @param size the header's number, also for types that have no data; a sparse file's logical size
 * @param mode as in the header, without type bits
 * @param seconds modification time since 1970 UTC
 * @param nanos 0 to 999,999,999, to be added
 * @param pax all records of the last PAX header before the member, keys in byte order
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
public record TarEntry(
    EntryType type,
    byte[] name,
    byte[] linkName,
    long offset,
    long size,
    long mode,
    long uid,
    long gid,
    byte[] userName,
    byte[] groupName,
    long seconds,
    int nanos,
    long deviceMajor,
    long deviceMinor,
    SortedMap<byte[], byte[]> pax) {}
