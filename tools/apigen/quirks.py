"""What AWS's services do and their models don't say. Each table names its source."""

# Root elements of S3 responses without a payload member. Clients of the Java SDK version 1 look at them.
# Source: S3 API Reference, "Response Syntax" of each operation.
S3_OUTPUT_ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListParts": "ListPartsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetObjectAttributes": "GetObjectAttributesResponse",
    "GetBucketAcl": "AccessControlPolicy",
    "GetObjectAcl": "AccessControlPolicy",
    "GetBucketLocation": "LocationConstraint",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketTagging": "Tagging",
    "GetObjectTagging": "Tagging",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
}

# The output's only member is itself the root element. Source: Smithy's s3UnwrappedXmlOutput trait.
UNWRAPPED_OUTPUTS = {("s3", "GetBucketLocation")}

# Two operations of one method and URI, told apart by a header that only the second has.
ROUTING_HEADERS = {("s3", "CopyObject"): "x-amz-copy-source", ("s3", "UploadPartCopy"): "x-amz-copy-source"}

# Enums that say less than the service accepts, or whose violation has an error of its own: left to the handler.
OPEN_ENUMS = {
    ("cloudtrail", "LookupAttributeKey"),  # RequestId is ours: `redoubt why`
    ("s3", "BucketLocationConstraint"),   # IllegalLocationConstraintException, InvalidLocationConstraint
    ("s3", "ChecksumAlgorithm"),          # InvalidRequest names the algorithm
    ("s3", "BucketCannedACL"),            # the model lacks log-delivery-write
    ("s3", "ObjectCannedACL"),            # InvalidArgument names the header
    ("cloudformation", "Capability"),     # InsufficientCapabilitiesException
    ("ec2", "InstanceType"),              # too many to repeat in an error
    ("ec2", "ResourceType"),
}

# Services whose answers carry an XML namespace that botocore's model omits.
XML_NAMESPACES = {"s3": "http://s3.amazonaws.com/doc/2006-03-01/"}

# Services that answer broken lengths and patterns with errors of their own (S3: KeyTooLongError, InvalidBucketName ..): their
# handlers check them, the codec doesn't.
OWN_LENGTHS_AND_PATTERNS = {"s3"}

# Shapes with another type than the model's. S3 keeps the Expires header as the client wrote it, whatever that is.
RETYPED = {("s3", "Expires"): "string"}

# Names that C++ keeps for itself.
KEYWORDS = set(
    "alignas alignof and asm auto bool break case catch char class const continue default delete do double else enum explicit export "
    "extern false float for friend goto if inline int long mutable namespace new not operator or private protected public register "
    "return short signed sizeof static struct switch template this throw true try typedef union unsigned using virtual void "
    "volatile while xor concept requires".split()
)
