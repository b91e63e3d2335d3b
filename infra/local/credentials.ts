/** What clients of the local servers sign with. The servers do not check signatures. */
export const localCredentials = { accessKeyId: 'local', secretAccessKey: 'local' };

/** Region and account that local ARNs name. */
export const localRegion = 'us-east-1';
export const localAccount = '000000000000';
