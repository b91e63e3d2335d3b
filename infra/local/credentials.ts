/** Credentials for clients of the local servers, which do not check signatures. */
export const localCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Region and account in local ARNs. */
export const localRegion = 'us-east-1';
export const localAccount = '000000000000';
