#pragma once
/// Which bucket policies are public. Pure. Source: S3 User Guide, "Blocking public access to your Amazon S3 storage", "The
/// meaning of public".
#include "base/json.h"

namespace redoubt::objects {

/// Whether one of the policy's Allow statements is for everybody. It isn't when its principals are named, or when a condition
/// narrows it to fixed values of who the caller is or where it comes from: no wildcards, no policy variables, no address range as
/// wide as the Internet. What isn't understood is public.
bool is_public(const Json& policy);

}  // namespace redoubt::objects
