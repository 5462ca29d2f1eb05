package dev.socifleet.fuse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is agreed with kernels of all ages. */
class HandshakeTest {
  private static final long ALL = -1L;
  private FakeKernel kernel;

  @BeforeEach
  void connect() throws Throwable {
    kernel = new FakeKernel();
  }

  @AfterEach
  void disconnect() {
    kernel.close();
  }

  private static ByteBuffer init(int bytes, int major, int minor, long flags) {
    ByteBuffer body = FakeKernel.body(bytes).putInt(0, major).putInt(4, minor).putInt(8, 131072);
    body.putInt(12, (int) flags);
    return bytes > 16 ? body.putInt(16, (int) (flags >>> 32)) : body;
  }

  private FakeKernel.Answered offer(ByteBuffer init) throws IOException {
    kernel.send(Abi.INIT, 0, init);
    Handshake.perform(kernel.device, 1 << 20);
    return kernel.receive();
  }

  @Test
  void aNewKernelIsAskedForAllThatIsUsed() throws Exception {
    ByteBuffer body = offer(init(64, 7, 45, ALL)).body();
    assertThat(body.capacity()).isEqualTo(64);
    assertThat(body.getInt(0)).isEqualTo(7);
    assertThat(body.getInt(4)).isEqualTo(41);
    assertThat(body.getInt(8)).isEqualTo(131072);
    assertThat(body.getInt(12))
        .isEqualTo(1 | 1 << 13 | 1 << 17 | 1 << 18 | 1 << 22 | 1 << 23 | 1 << 24 | 1 << 30);
    assertThat(body.getInt(32)).isEqualTo(1 << 7);
    assertThat(body.getShort(16)).isEqualTo((short) 4096);
    assertThat(body.getShort(18)).isEqualTo((short) 4096);
    assertThat(body.getShort(28)).isEqualTo((short) ((1 << 20) / Native.PAGE));
  }

  @Test
  void anOldKernelIsAskedForNothingItDoesNotOffer() throws Exception {
    ByteBuffer body = offer(init(16, 7, 31, 0x3FFFFFF)).body();
    assertThat(body.getInt(4)).isEqualTo(31);
    assertThat(body.getInt(12) & 1 << 30).isZero();
    assertThat(body.getInt(32)).isZero();
  }

  @Test
  void aKernelThatIsTooOldIsRefused() {
    assertThatThrownBy(() -> offer(init(16, 7, 27, 0x3FFFFFF)))
        .isInstanceOf(IOException.class)
        .hasMessage("the kernel speaks FUSE 7.27, and 7.31 is needed: use Linux 5.4 or newer");
    assertThat(kernel.receive().errno()).isEqualTo(71);
  }

  @Test
  void aKernelWithoutOpensWithoutRequestsIsRefused() {
    assertThatThrownBy(() -> offer(init(64, 7, 45, ALL & ~(1L << 17))))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("lacks features 0x20000");
  }

  @Test
  void anythingElseThanInitIsRefused() {
    kernel.send(Abi.GETATTR, 1, FakeKernel.body(16));
    assertThatThrownBy(() -> Handshake.perform(kernel.device, 1 << 20))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("INIT");
    kernel.send(Abi.INIT, 1, FakeKernel.body(8));
    assertThatThrownBy(() -> Handshake.perform(kernel.device, 1 << 20))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("INIT");
  }
}
