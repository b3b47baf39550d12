//! AWS's error table: each code with its status and its usual message.
//!
//! A code whose message depends on the case (`InvalidArgument`, `InvalidRequest`) has the most common one here; an
//! operation says its own with `Code::says`.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, and answers recorded from AWS.

use http::StatusCode;

macro_rules! codes {
    (@wire $name:ident) => { stringify!($name) };
    (@wire $name:ident $wire:literal) => { $wire };
    ($($name:ident $(($wire:literal))? $status:ident $message:literal;)*) => {
        /// An error code of S3.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($name),* }

        impl Code {
            /// As `<Code>` carries it.
            pub(crate) fn name(self) -> &'static str {
                match self { $(Self::$name => codes!(@wire $name $($wire)?)),* }
            }

            /// The status that goes with it.
            pub(crate) fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status),* }
            }

            /// Its usual message.
            pub(crate) fn message(self) -> &'static str {
                match self { $(Self::$name => $message),* }
            }
        }
    };
}

codes! {
    AccessDenied FORBIDDEN "Access Denied";
    AccessControlListNotSupported BAD_REQUEST "The bucket does not allow ACLs";
    AccessForbidden FORBIDDEN "CORSResponse: CORS is not enabled for this bucket.";
    AuthorizationHeaderMalformed BAD_REQUEST "The authorization header that you provided is not valid.";
    AuthorizationQueryParametersError BAD_REQUEST "The authorization query parameters that you provided are not valid.";
    BadDigest BAD_REQUEST "The Content-MD5 you specified did not match what we received.";
    BadRequest BAD_REQUEST "An error occurred when parsing the HTTP request.";
    BucketAlreadyExists CONFLICT "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.";
    BucketAlreadyOwnedByYou CONFLICT "Your previous request to create the named bucket succeeded and you already own it.";
    BucketNotEmpty CONFLICT "The bucket you tried to delete is not empty";
    ConditionalRequestConflict CONFLICT "The conditional request cannot succeed due to a conflicting operation against this resource.";
    EntityTooLarge BAD_REQUEST "Your proposed upload exceeds the maximum allowed size";
    EntityTooSmall BAD_REQUEST "Your proposed upload is smaller than the minimum allowed size";
    ExpiredToken BAD_REQUEST "The provided token has expired.";
    IllegalLocationConstraintException BAD_REQUEST "The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.";
    IllegalVersioningConfigurationException BAD_REQUEST "The Versioning element must be specified";
    IncompleteBody BAD_REQUEST "You did not provide the number of bytes specified by the Content-Length HTTP header";
    InternalError INTERNAL_SERVER_ERROR "We encountered an internal error. Please try again.";
    InvalidAccessKeyId FORBIDDEN "The AWS Access Key Id you provided does not exist in our records.";
    InvalidArgument BAD_REQUEST "Invalid Argument";
    InvalidBucketAclWithObjectOwnership BAD_REQUEST "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting";
    InvalidBucketName BAD_REQUEST "The specified bucket is not valid.";
    InvalidBucketOwnerAWSAccountID BAD_REQUEST "The value of the expected bucket owner parameter must be an AWS Account ID...";
    InvalidChunkSizeError FORBIDDEN "Only the last chunk is allowed to have a size less than 8192 bytes";
    InvalidDigest BAD_REQUEST "The Content-MD5 you specified was invalid.";
    InvalidEncryptionAlgorithmError BAD_REQUEST "The Encryption request you specified is not valid. Supported value: AES256.";
    InvalidLocationConstraint BAD_REQUEST "The specified location-constraint is not valid";
    InvalidObjectState FORBIDDEN "The operation is not valid for the object's storage class";
    InvalidPart BAD_REQUEST "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.";
    InvalidPartOrder BAD_REQUEST "The list of parts was not in ascending order. Parts must be ordered by part number.";
    InvalidPartNumber RANGE_NOT_SATISFIABLE "The requested partnumber is not satisfiable";
    InvalidPolicyDocument BAD_REQUEST "The content of the form does not meet the conditions specified in the policy document.";
    InvalidRange RANGE_NOT_SATISFIABLE "The requested range is not satisfiable";
    InvalidRequest BAD_REQUEST "Invalid Request";
    InvalidStorageClass BAD_REQUEST "The storage class you specified is not valid";
    InvalidTag BAD_REQUEST "The TagValue you have provided is invalid";
    InvalidToken BAD_REQUEST "The provided token is malformed or otherwise invalid.";
    InvalidURI BAD_REQUEST "Couldn't parse the specified URI.";
    KeyTooLongError BAD_REQUEST "Your key is too long";
    KmsDisabledException("KMS.DisabledException") BAD_REQUEST "The key is disabled.";
    KmsInvalidCiphertextException("KMS.InvalidCiphertextException") BAD_REQUEST "";
    KmsInvalidKeyUsageException("KMS.InvalidKeyUsageException") BAD_REQUEST "The key cannot be used for this.";
    KmsInvalidStateException("KMS.KMSInvalidStateException") BAD_REQUEST "The state of the key does not allow this.";
    KmsNotFoundException("KMS.NotFoundException") BAD_REQUEST "The key does not exist";
    MalformedPOSTRequest BAD_REQUEST "The body of your POST request is not well-formed multipart/form-data.";
    MalformedTrailerError BAD_REQUEST "The request contained trailing data that was not well-formed or did not conform to our published schema.";
    MalformedXML BAD_REQUEST "The XML you provided was not well-formed or did not validate against our published schema";
    MaxMessageLengthExceeded BAD_REQUEST "Your request was too big.";
    MaxPostPreDataLengthExceeded BAD_REQUEST "Your POST request fields preceeding the upload file was too large.";
    MetadataTooLarge BAD_REQUEST "Your metadata headers exceed the maximum allowed metadata size";
    MethodNotAllowed METHOD_NOT_ALLOWED "The specified method is not allowed against this resource.";
    MissingContentLength LENGTH_REQUIRED "You must provide the Content-Length HTTP header.";
    MissingRequestBodyError BAD_REQUEST "Request Body is empty";
    MetadataConfigurationNotFound NOT_FOUND "The metadata configuration was not found";
    NoSuchBucket NOT_FOUND "The specified bucket does not exist";
    NoSuchBucketPolicy NOT_FOUND "The bucket policy does not exist";
    NoSuchConfiguration NOT_FOUND "The specified configuration does not exist.";
    NoSuchCORSConfiguration NOT_FOUND "The CORS configuration does not exist";
    NoSuchKey NOT_FOUND "The specified key does not exist.";
    NoSuchLifecycleConfiguration NOT_FOUND "The lifecycle configuration does not exist";
    NoSuchTagSet NOT_FOUND "The TagSet does not exist";
    NoSuchUpload NOT_FOUND "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.";
    NoSuchVersion NOT_FOUND "The specified version does not exist.";
    NoSuchWebsiteConfiguration NOT_FOUND "The specified bucket does not have a website configuration";
    NotImplemented NOT_IMPLEMENTED "A header you provided implies functionality that is not implemented";
    ObjectLockConfigurationNotFoundError NOT_FOUND "Object Lock configuration does not exist for this bucket";
    PermanentRedirect MOVED_PERMANENTLY "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.";
    PreconditionFailed PRECONDITION_FAILED "At least one of the pre-conditions you specified did not hold";
    ReplicationConfigurationNotFoundError NOT_FOUND "The replication configuration was not found";
    RequestTimeTooSkewed FORBIDDEN "The difference between the request time and the current time is too large.";
    RequestTimeout BAD_REQUEST "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.";
    ServiceUnavailable SERVICE_UNAVAILABLE "Service is unable to handle request.";
    SignatureDoesNotMatch FORBIDDEN "The request signature we calculated does not match the signature you provided. Check your key and signing method.";
    SlowDown SERVICE_UNAVAILABLE "Please reduce your request rate.";
    V1APIsNotAllowed METHOD_NOT_ALLOWED "The V1 APIs are not allowed for this bucket.";
    XAmzContentSHA256Mismatch BAD_REQUEST "The provided 'x-amz-content-sha256' header does not match what was computed.";
}
