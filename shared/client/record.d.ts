import { z } from 'zod';
/**
 * The document record: the public contract that downstream apps read from DynamoDB
 * (`pk = DOC#<documentId>`, `sk = DOC`). Its JSON Schema is published as `docs/record.schema.json`.
 * Attributes not named here are Dropline's own book-keeping and may change.
 */
export declare const statuses: readonly ['received', 'normalized', 'uploaded', 'ready', 'failed', 'skipped', 'removed', 'held'];
export declare const statusSchema: z.ZodEnum<{
    failed: "failed";
    held: "held";
    normalized: "normalized";
    ready: "ready";
    received: "received";
    removed: "removed";
    skipped: "skipped";
    uploaded: "uploaded";
}>;
export type Status = z.infer<typeof statusSchema>;
/** Where a document can stay for ever. `held` is not one: it resumes by itself. */
export declare const terminalStatuses: readonly ['ready', 'failed', 'skipped', 'removed'];
export declare const steps: readonly ['normalize', 'render', 'upload', 'summarize', 'remove'];
export declare const stepSchema: z.ZodEnum<{
    normalize: "normalize";
    remove: "remove";
    render: "render";
    summarize: "summarize";
    upload: "upload";
}>;
export type Step = z.infer<typeof stepSchema>;
export declare const blockSchema: z.ZodEnum<{
    container_upload: "container_upload";
    document: "document";
    image: "image";
}>;
export declare const warningSchema: z.ZodObject<{
    code: z.ZodString;
    message: z.ZodString;
}, z.core.$strip>;
export declare const fidelitySchema: z.ZodObject<{
    route: z.ZodString;
    imagesFound: z.ZodOptional<z.ZodInt>;
    imagesKept: z.ZodOptional<z.ZodInt>;
    rowsFound: z.ZodOptional<z.ZodInt>;
    rowsKept: z.ZodOptional<z.ZodInt>;
    pages: z.ZodOptional<z.ZodInt>;
    encoding: z.ZodOptional<z.ZodString>;
    warnings: z.ZodArray<z.ZodObject<{
        code: z.ZodString;
        message: z.ZodString;
    }, z.core.$strip>>;
}, z.core.$strip>;
/** A place in the document that backs a passage of the summary, as Claude gave it. */
export declare const citationSchema: z.ZodObject<{
    field: z.ZodEnum<{
        keyPoints: "keyPoints";
        text: "text";
        title: "title";
    }>;
    index: z.ZodOptional<z.ZodInt>;
    citedText: z.ZodString;
    location: z.ZodDiscriminatedUnion<[z.ZodObject<{
        type: z.ZodLiteral<"char">;
        start: z.ZodInt;
        end: z.ZodInt;
    }, z.core.$strip>, z.ZodObject<{
        type: z.ZodLiteral<"page">;
        start: z.ZodInt;
        end: z.ZodInt;
    }, z.core.$strip>, z.ZodObject<{
        type: z.ZodLiteral<"block">;
        start: z.ZodInt;
        end: z.ZodInt;
    }, z.core.$strip>], "type">;
}, z.core.$strip>;
export declare const summarySchema: z.ZodObject<{
    title: z.ZodString;
    text: z.ZodString;
    keyPoints: z.ZodArray<z.ZodString>;
    language: z.ZodString;
    citations: z.ZodArray<z.ZodObject<{
        field: z.ZodEnum<{
            keyPoints: "keyPoints";
            text: "text";
            title: "title";
        }>;
        index: z.ZodOptional<z.ZodInt>;
        citedText: z.ZodString;
        location: z.ZodDiscriminatedUnion<[z.ZodObject<{
            type: z.ZodLiteral<"char">;
            start: z.ZodInt;
            end: z.ZodInt;
        }, z.core.$strip>, z.ZodObject<{
            type: z.ZodLiteral<"page">;
            start: z.ZodInt;
            end: z.ZodInt;
        }, z.core.$strip>, z.ZodObject<{
            type: z.ZodLiteral<"block">;
            start: z.ZodInt;
            end: z.ZodInt;
        }, z.core.$strip>], "type">;
    }, z.core.$strip>>;
    data: z.ZodOptional<z.ZodUnknown>;
    model: z.ZodString;
    stopReason: z.ZodString;
    at: z.ZodISODateTime;
    carriedFrom: z.ZodOptional<z.ZodString>;
    location: z.ZodOptional<z.ZodString>;
}, z.core.$strip>;
export declare const usageSchema: z.ZodObject<{
    inputTokens: z.ZodInt;
    outputTokens: z.ZodInt;
    cacheReadTokens: z.ZodInt;
    costUsd: z.ZodNumber;
    calls: z.ZodInt;
}, z.core.$strip>;
export declare const recordErrorSchema: z.ZodObject<{
    code: z.ZodString;
    message: z.ZodString;
    step: z.ZodEnum<{
        normalize: "normalize";
        remove: "remove";
        render: "render";
        summarize: "summarize";
        upload: "upload";
    }>;
    advice: z.ZodString;
    requestId: z.ZodOptional<z.ZodString>;
    at: z.ZodISODateTime;
}, z.core.$strip>;
export declare const documentRecordSchema: z.ZodObject<{
    documentId: z.ZodString;
    bucket: z.ZodString;
    key: z.ZodString;
    versionId: z.ZodOptional<z.ZodString>;
    etag: z.ZodOptional<z.ZodString>;
    sequencer: z.ZodString;
    sizeBytes: z.ZodOptional<z.ZodInt>;
    contentType: z.ZodOptional<z.ZodString>;
    status: z.ZodEnum<{
        failed: "failed";
        held: "held";
        normalized: "normalized";
        ready: "ready";
        received: "received";
        removed: "removed";
        skipped: "skipped";
        uploaded: "uploaded";
    }>;
    contentSha256: z.ZodOptional<z.ZodString>;
    mimeType: z.ZodOptional<z.ZodString>;
    block: z.ZodOptional<z.ZodEnum<{
        container_upload: "container_upload";
        document: "document";
        image: "image";
    }>>;
    fileId: z.ZodOptional<z.ZodString>;
    fileExpiresAt: z.ZodOptional<z.ZodISODateTime>;
    fidelity: z.ZodOptional<z.ZodObject<{
        route: z.ZodString;
        imagesFound: z.ZodOptional<z.ZodInt>;
        imagesKept: z.ZodOptional<z.ZodInt>;
        rowsFound: z.ZodOptional<z.ZodInt>;
        rowsKept: z.ZodOptional<z.ZodInt>;
        pages: z.ZodOptional<z.ZodInt>;
        encoding: z.ZodOptional<z.ZodString>;
        warnings: z.ZodArray<z.ZodObject<{
            code: z.ZodString;
            message: z.ZodString;
        }, z.core.$strip>>;
    }, z.core.$strip>>;
    summary: z.ZodOptional<z.ZodObject<{
        title: z.ZodString;
        text: z.ZodString;
        keyPoints: z.ZodArray<z.ZodString>;
        language: z.ZodString;
        citations: z.ZodArray<z.ZodObject<{
            field: z.ZodEnum<{
                keyPoints: "keyPoints";
                text: "text";
                title: "title";
            }>;
            index: z.ZodOptional<z.ZodInt>;
            citedText: z.ZodString;
            location: z.ZodDiscriminatedUnion<[z.ZodObject<{
                type: z.ZodLiteral<"char">;
                start: z.ZodInt;
                end: z.ZodInt;
            }, z.core.$strip>, z.ZodObject<{
                type: z.ZodLiteral<"page">;
                start: z.ZodInt;
                end: z.ZodInt;
            }, z.core.$strip>, z.ZodObject<{
                type: z.ZodLiteral<"block">;
                start: z.ZodInt;
                end: z.ZodInt;
            }, z.core.$strip>], "type">;
        }, z.core.$strip>>;
        data: z.ZodOptional<z.ZodUnknown>;
        model: z.ZodString;
        stopReason: z.ZodString;
        at: z.ZodISODateTime;
        carriedFrom: z.ZodOptional<z.ZodString>;
        location: z.ZodOptional<z.ZodString>;
    }, z.core.$strip>>;
    usage: z.ZodOptional<z.ZodObject<{
        inputTokens: z.ZodInt;
        outputTokens: z.ZodInt;
        cacheReadTokens: z.ZodInt;
        costUsd: z.ZodNumber;
        calls: z.ZodInt;
    }, z.core.$strip>>;
    error: z.ZodOptional<z.ZodObject<{
        code: z.ZodString;
        message: z.ZodString;
        step: z.ZodEnum<{
            normalize: "normalize";
            remove: "remove";
            render: "render";
            summarize: "summarize";
            upload: "upload";
        }>;
        advice: z.ZodString;
        requestId: z.ZodOptional<z.ZodString>;
        at: z.ZodISODateTime;
    }, z.core.$strip>>;
    attempts: z.ZodRecord<z.ZodEnum<{
        normalize: "normalize";
        remove: "remove";
        render: "render";
        summarize: "summarize";
        upload: "upload";
    }> & z.core.$partial, z.ZodInt>;
    parent: z.ZodOptional<z.ZodString>;
    profile: z.ZodString;
    createdAt: z.ZodISODateTime;
    updatedAt: z.ZodISODateTime;
    revision: z.ZodInt;
}, z.core.$strip>;
/** A document's record as downstream apps read it. */
export type DocumentRecord = z.infer<typeof documentRecordSchema>;
/** The record without Dropline's own attributes. Throws `ZodError` when `item` is no record. */
export declare function toDocumentRecord(item: unknown): DocumentRecord;
