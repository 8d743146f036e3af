package io.apiserverupdater.updater.kube.api;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class ApiCallTest {
  @Test
  void targetIsPathAndQueryPercentEncoded() {
    assertEquals(
        "/api/v1/namespaces/a-b.c_d~e", ApiCall.get("/api/v1/namespaces/a-b.c_d~e").target());
    assertEquals(
        "/a%20b/%C3%A4%3F%23%25",
        ApiCall.get("/a b/ä?#%").target(), "nothing of a name ends the path");
    assertEquals(
        "/x?watch=true&fieldSelector=metadata.name%3Da%26b%2Bc%0D%0A",
        ApiCall.get("/x")
            .with("watch", "true")
            .with("fieldSelector", "metadata.name=a&b+c\r\n")
            .target());
  }

  @Test
  void patchIsAMergePatch() {
    assertEquals("application/merge-patch+json", ApiCall.patch("/x", "{}").contentType());
    assertEquals("application/json", ApiCall.put("/x", "{}").contentType());
  }
}
