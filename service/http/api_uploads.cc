#include "base/error.h"
#include "base/time_text.h"
#include "service/http/question.h"

namespace palisade {
namespace {

using Exchange = std::shared_ptr<HttpExchange>;

void take_upload(HttpApi& api, const Exchange& exchange) {
  const std::string& bytes = exchange->request().body;
  if (bytes.empty()) throw UsageError("the body is the file of a picture or film, and not empty");
  const HttpUpload upload = api.uploads.add(exchange->holder().name, bytes, wall_now());
  exchange->respond(json_response({{"id", upload.id},
                                   {"kind", upload.film ? "film" : "picture"},
                                   {"bytes", upload.bytes},
                                   {"expires", time_text(upload.expires)}},
                                  201));
}

void remove_upload(HttpApi& api, const Exchange& exchange) {
  if (!api.uploads.remove(exchange->holder().name, exchange->request().parts.at("upload")))
    return exchange->fail(
        {.status = 404, .message = "there is no such upload of yours, or no longer", .code = "not_found"});
  exchange->respond({.status = 204, .headers = {}});
}

}  // namespace

void add_upload_routes(HttpRouter& router, HttpApi& api) {
  add_route(router, api,
            {.method = HttpMethod::kPost,
             .pattern = "/api/v1/uploads",
             .scope = HttpScope::kAsk,
             .body_bytes = HttpUploads::kMaxBytes},
            take_upload);
  add_route(router, api,
            {.method = HttpMethod::kDelete, .pattern = "/api/v1/uploads/{upload}", .scope = HttpScope::kAsk},
            remove_upload);
}

}  // namespace palisade
