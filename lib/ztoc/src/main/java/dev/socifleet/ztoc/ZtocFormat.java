package dev.socifleet.ztoc;

/**
 * The flatbuffer schema of a zTOC: slot numbers of its tables.
 *
 * <pre>
 *  Ztoc             version, build tool: string; sizes: int64; toc: TOC; info: CompressionInfo
 *  TOC              files: [FileMetadata]
 *  FileMetadata     strings, int64 numbers, uint32 uid and gid; records: [Xattr]
 *  Xattr            key, value: string. In spite of the name, any PAX record of the file
 *  CompressionInfo  algorithm: int8 (1 gzip, 2 none), default 1; max span: int32;
 *                   digests: [string]; checkpoints: [uint8]
 *  TarZinfo         a flatbuffer of its own in the bytes of checkpoints, if not compressed
 * </pre>
 */
final class ZtocFormat {
  static final String VERSION = "0.9";

  static final int ROOT_SLOTS = 6;
  static final int ROOT_VERSION = 0;
  static final int ROOT_BUILD_TOOL = 1;
  static final int ROOT_COMPRESSED_SIZE = 2;
  static final int ROOT_UNCOMPRESSED_SIZE = 3;
  static final int ROOT_TOC = 4;
  static final int ROOT_INFO = 5;

  static final int TOC_SLOTS = 1;
  static final int TOC_FILES = 0;

  static final int FILE_SLOTS = 14;
  static final int FILE_NAME = 0;
  static final int FILE_TYPE = 1;
  static final int FILE_OFFSET = 2;
  static final int FILE_SIZE = 3;
  static final int FILE_LINK = 4;
  static final int FILE_MODE = 5;
  static final int FILE_UID = 6;
  static final int FILE_GID = 7;
  static final int FILE_USER = 8;
  static final int FILE_GROUP = 9;
  static final int FILE_TIME = 10;
  static final int FILE_MAJOR = 11;
  static final int FILE_MINOR = 12;
  static final int FILE_RECORDS = 13;

  static final int RECORD_SLOTS = 2;
  static final int RECORD_KEY = 0;
  static final int RECORD_VALUE = 1;

  static final int INFO_SLOTS = 4;
  static final int INFO_ALGORITHM = 0;
  static final int INFO_MAX_SPAN = 1;
  static final int INFO_DIGESTS = 2;
  static final int INFO_CHECKPOINTS = 3;

  static final int TAR_SLOTS = 3;
  static final int TAR_VERSION = 0;
  static final int TAR_SPAN_SIZE = 1;
  static final int TAR_SIZE = 2;
  static final int TAR_VERSION_2 = 2;

  private ZtocFormat() {}
}
