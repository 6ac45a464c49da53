/// DeleteObject and DeleteObjects.
#include "objects/rows.h"

namespace redoubt::objects {

using namespace api::s3;

void Objects::declare_delete() {
  auto current = [](const auto& in, const Call&) { return !in.VersionId; };
  auto named = [](const auto& in, const Call&) { return in.VersionId.has_value(); };
  // Deleting what isn't there succeeds, and whoever owns the object, deleting it is the bucket owner's to allow.
  auto on_object = [this](const DeleteObjectRequest& in, const Call& call) -> Resources {
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, call));
    TRY(auto object, object_resource(b, in.Key, in.VersionId, call));
    auto r = key_resource(b, in.Key, call);
    r.context = std::move(object.context);
    return only(std::move(r));
  };
  access::Row<op::DeleteObject> remove{.needs = {{.action = "s3:DeleteObject", .resources = on_object, .when = current},
                                                 {.action = "s3:DeleteObjectVersion", .resources = on_object, .when = named}}};
  remove.data_event = true;
  remove.handler = [this](const Allowed<DeleteObjectRequest>& r) -> Result<DeleteObjectOutput> {
    auto& in = r.input;
    if (in.IfMatchLastModifiedTime || in.IfMatchSize) return fail(not_built("A delete's condition on size or time"));
    auto b = r.found<Bucket>();
    Index::Removal one{in.Key, in.VersionId, in.IfMatch ? std::optional(unquoted(*in.IfMatch)) : std::nullopt};
    TRY(auto results, index_->remove(*b, {one}, clock_.now(), b->account));
    TRY(auto gone, std::move(results[0]));
    DeleteObjectOutput out;
    if (gone.marker_made || gone.was_marker) out.DeleteMarker = true;
    if (!gone.version_id.empty()) out.VersionId = shown_version(*b, gone.version_id);
    return out;
  };
  add<op::DeleteObject>(std::move(remove));

  // Each key is decided for itself, all that may go go in one transaction. A denial is that key's Error in the answer. The call
  // needs nothing beyond a bucket that exists.
  access::Row<op::DeleteObjects> remove_many{
      .needs = access::NoNeed{"every key is decided by itself in the handler, by Gate::check<DeleteObject>"}};
  remove_many.data_event = true;
  remove_many.handler = [this](const Allowed<DeleteObjectsRequest>& r) -> Result<DeleteObjectsOutput> {
    auto& in = r.input;
    TRY(auto b, bucket_for(in.Bucket, in.ExpectedBucketOwner, r.call));
    auto& asked = in.Delete.Objects;
    if (asked.empty() || asked.size() > 1000) return fail(kMalformedXml, kMalformedXmlText);
    std::vector<std::optional<Error>> refused(asked.size());
    std::vector<Index::Removal> going;
    for (size_t i = 0; i < asked.size(); ++i) {
      auto& o = asked[i];
      DeleteObjectRequest one{.Bucket = in.Bucket, .Key = o.Key};
      one.VersionId = o.VersionId;
      one.IfMatch = o.ETag;
      if (o.Size || o.LastModifiedTime)
        refused[i] = not_built("A delete's condition on size or time");
      else if (auto allowed = gate_->check<op::DeleteObject>(r.call, one); !allowed)
        refused[i] = allowed.error();
      else
        going.push_back({o.Key, o.VersionId, o.ETag ? std::optional(unquoted(*o.ETag)) : std::nullopt});
    }
    std::vector<Result<Index::Removed>> removed;
    if (!going.empty()) {
      TRY(removed, index_->remove(*b, going, clock_.now(), b->account));
    }
    std::vector<DeletedObject> deleted;
    std::vector<api::s3::Error> errors;
    for (size_t i = 0, next = 0; i < asked.size(); ++i) {
      auto& o = asked[i];
      auto gone = refused[i] ? Result<Index::Removed>(fail(*refused[i])) : std::move(removed[next++]);
      if (!gone) {
        api::s3::Error e;
        e.Key = o.Key;
        e.VersionId = o.VersionId;
        e.Code = std::string(gone.error().kind->code);
        e.Message = gone.error().message;
        errors.push_back(std::move(e));
        continue;
      }
      LoggedRequest logged{.operation = "DeleteObject", .method = "DELETE", .key = o.Key, .status = 204, .batch = true};
      if (o.VersionId) logged.version_id = *o.VersionId;
      log_access(in.Bucket, logged, r.call);
      if (in.Delete.Quiet.value_or(false)) continue;
      DeletedObject d;
      d.Key = o.Key;
      d.VersionId = o.VersionId;
      if (gone->marker_made || gone->was_marker) {
        d.DeleteMarker = true;
        d.DeleteMarkerVersionId = gone->version_id;
      }
      deleted.push_back(std::move(d));
    }
    DeleteObjectsOutput out;
    if (!deleted.empty()) out.Deleted = std::move(deleted);
    if (!errors.empty()) out.Errors = std::move(errors);
    return out;
  };
  add<op::DeleteObjects>(std::move(remove_many));
}

}  // namespace redoubt::objects
