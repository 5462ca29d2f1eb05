package dev.socifleet.containerd;

import com.google.protobuf.FieldMask;
import dev.socifleet.containerd.images.v1.CreateImageRequest;
import dev.socifleet.containerd.images.v1.Image;
import dev.socifleet.containerd.images.v1.ImagesGrpc;
import dev.socifleet.containerd.images.v1.UpdateImageRequest;
import dev.socifleet.containerd.types.Descriptor;
import io.grpc.Channel;
import io.grpc.Status;

/** containerd's names of images, in one namespace. Thread-safe. */
public final class ImageRecords {
  private final ImagesGrpc.ImagesBlockingV2Stub images;

  /**
   * @param calls in a namespace
   */
  public ImageRecords(Channel calls) {
    images = ImagesGrpc.newBlockingV2Stub(calls);
  }

  /** Lets a name point at this content; an image that has it already keeps its labels. */
  public void put(String name, Descriptor target) throws ContainerdException {
    Image image = Image.newBuilder().setName(name).setTarget(target).build();
    String action = "name image " + name + " in containerd";
    try {
      var _ =
          Calls.call(
              action,
              () ->
                  images
                      .withDeadlineAfter(Calls.SOON)
                      .create(CreateImageRequest.newBuilder().setImage(image).build()));
    } catch (ContainerdException e) {
      if (e.code() != Status.Code.ALREADY_EXISTS) {
        throw e;
      }
      var _ =
          Calls.call(
              action,
              () ->
                  images
                      .withDeadlineAfter(Calls.SOON)
                      .update(
                          UpdateImageRequest.newBuilder()
                              .setImage(image)
                              .setUpdateMask(FieldMask.newBuilder().addPaths("target"))
                              .build()));
    }
  }
}
